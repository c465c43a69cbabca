// A plugin for TypeDoc, named in typedoc.json (`npm run docs`, and the API reference in npm run check): gives every public export the
// category of its folder in src, so that the reference is sorted by subject and not alphabetically.
import { sep } from "node:path";
import { Comment, CommentTag, Converter, ReflectionKind } from "typedoc";

const CATEGORY_OF_ROOM = {
  data: "Data",
  network: "Networks",
  loss: "Training",
  step: "Training",
  method: "Training",
  run: "Training",
  train: "Training",
  plan: "Planning",
  linearize: "Planning",
  jobs: "Many trainings",
  search: "Many trainings",
  fit: "Least squares",
  expression: "Least squares",
  report: "Least squares",
  equations: "Equations",
  uncertainty: "Uncertainty",
  game: "Min-max games",
  ode: "Flows",
  flow: "Flows",
  monitor: "Monitor",
  spectrum: "Monitor",
  backend: "Engines",
  algebra: "Engines",
  cluster: "Several ranks",
};
const GROUND = "Errors and numbers";

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    const atTop = reflection.parent?.kindOf(ReflectionKind.Project | ReflectionKind.Module);
    const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName;
    if (!atTop || file === undefined) return;
    const [room, inside] = file
      .split(/[\\/]src[\\/]/)
      .at(-1)
      .split(/[\\/]/);
    const category = inside === undefined ? GROUND : CATEGORY_OF_ROOM[room];
    if (category === undefined)
      throw new Error(`scripts/typedoc-categories.mjs knows no category for src${sep}${room}`);
    // A function keeps its comment at its signature, where TypeDoc looks for the category too.
    reflection.comment ??= new Comment();
    reflection.comment.blockTags.push(new CommentTag("@category", [{ kind: "text", text: category }]));
  });
}
