// npm run demo, after setup.mjs: runs one of the demos of scripts/demo, that on cars where none is named (npm run demo -- penguins).
const DEMOS = ["cars", "penguins"];

const [name = DEMOS[0], ...rest] = process.argv.slice(2);
if (!DEMOS.includes(name) || rest.length > 0) {
  console.error(`which demo? One of ${DEMOS.join(", ")}: npm run demo -- ${DEMOS[1]}`);
  process.exit(2);
}
await import(`./demo/${name}.mjs`);
