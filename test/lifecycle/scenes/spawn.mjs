import { execFile, spawnSync } from "node:child_process";
import { problem, request } from "./problem.mjs";

const { net, engine } = problem();
for (let k = 0; k < 6; k++) {
  const running = engine.linearize(net.parameters, request);
  spawnSync("true");
  await new Promise((resolve) => execFile("true", resolve));
  await running;
  const solving = engine.solve({ damping: 1, decay: 0, scaling: null });
  spawnSync("true");
  await solving;
}
console.log("done");
