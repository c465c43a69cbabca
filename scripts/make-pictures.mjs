// npm run pictures, by hand: runs the experiments by the command line and writes those of their pictures that
// docs/theory.md, docs/methods.md and docs/equations.md show into folders of those names, with a palette. `npm run pictures --
// methods` makes those of one page. It prints what each picture shows, with the figures, for the texts of the pages.
// Needs playwright-core (a development dependency), Chromium, and sharp (npm install --no-save sharp).
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./native/paths.mjs";

const { default: sharp } = await import("sharp").catch(() => {
  throw new Error("the pictures get their palettes from sharp: npm install --no-save sharp");
});

/** Exit code of an experiment with a claim that does not hold: it has its pictures all the same. */
const CLAIM = 4;
/** By page: the experiments, and the pictures of theirs that it shows. */
const PAGES = {
  theory: {
    experiments: ["all"],
    pictures: [
      "conditioning-loss-003",
      "damping-weakest-03",
      "scaling-drift",
      "discrete-damped-factor",
      "stiffness-time",
      "real-under",
      "loss-rates-excess-3",
    ],
  },
  methods: {
    experiments: ["egn", "cumulative", "score", "minmax"],
    pictures: [
      "egn-seconds",
      "egn-classes",
      "cumulative-error",
      "score-small",
      "minmax-samples-gauss-newton",
      "minmax-samples-adam-logistic",
    ],
  },
  equations: {
    experiments: ["equations"],
    pictures: ["equations-burgers", "equations-pendulum", "equations-losses"],
  },
};

async function make(page) {
  const { experiments, pictures } = PAGES[page];
  const made = mkdtempSync(join(tmpdir(), "gaussflow-pictures-"));
  try {
    for (const name of experiments) {
      const args = [join(root, "dist", "cli", "main.js"), "experiment", name, "--png", "--out", made];
      const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
      if (status !== 0 && status !== CLAIM) throw new Error(`experiment ${name} ended with exit code ${status}`);
      const texts = readFileSync(join(made, `${name}.html`), "utf8");
      for (const [, id, alt] of texts.matchAll(/<figure [^>]*\bid="([^"]+)"[\s\S]*?aria-label="([^"]+)"/g))
        if (pictures.includes(id)) console.log(`\n${id}: ${alt}`);
    }
    const target = join(root, "docs", page);
    mkdirSync(target, { recursive: true });
    for (const name of pictures)
      await sharp(join(made, `${name}.png`))
        .png({ palette: true })
        .toFile(join(target, `${name}.png`));
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

const given = process.argv.slice(2);
const unknown = given.find((page) => !Object.hasOwn(PAGES, page));
if (unknown !== undefined)
  throw new Error(`there are pictures of ${Object.keys(PAGES).join(" and ")}, not of ${unknown}`);
for (const page of given.length > 0 ? given : Object.keys(PAGES)) await make(page);
