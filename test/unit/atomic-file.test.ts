// Where writes go: files are replaced whole, links followed, modes kept; devices and FIFOs are written to; leftovers of the dead go.
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { checkWritable, replaceFile, writeFileAtomic } from "../../src/atomic-file.js";
import { checkDistinct, targetOf } from "../../src/file-target.js";
import { buildLibrary } from "../helpers/build.js";

const unix = process.platform !== "win32";
let count = 0;
const root = mkdtempSync(join(tmpdir(), "gaussflow-atomic-"));
const fresh = () => {
  const folder = join(root, String(++count));
  mkdirSync(folder);
  return folder;
};
let atomic = "";
beforeAll(() => {
  atomic = pathToFileURL(join(buildLibrary(), "..", "atomic-file.js")).href;
});

/** Runs code with `writeFileAtomic` in a process of its own. */
const inChild = (code: string) => [
  "--input-type=module",
  "-e",
  `import { writeFileAtomic } from ${JSON.stringify(atomic)};\n${code}`,
];

describe.runIf(unix)("a file that is written", () => {
  it("takes the place of what a link leads to, and the link stays", async () => {
    const folder = fresh();
    mkdirSync(join(folder, "real"));
    writeFileSync(join(folder, "real", "model.json"), "old");
    symlinkSync("real", join(folder, "linked"));
    symlinkSync(join("linked", "model.json"), join(folder, "link.json"));
    symlinkSync("link.json", join(folder, "again.json"));
    await writeFileAtomic(join(folder, "again.json"), "new");
    expect(readFileSync(join(folder, "real", "model.json"), "utf8")).toBe("new");
    expect(readlinkSync(join(folder, "again.json"))).toBe("link.json");
    expect(readlinkSync(join(folder, "link.json"))).toBe(join("linked", "model.json"));
    expect(readdirSync(join(folder, "real"))).toEqual(["model.json"]);
  });

  it("is made where a link leads to nothing yet, and refused where links lead to one another", async () => {
    const folder = fresh();
    symlinkSync("later.json", join(folder, "link.json"));
    await writeFileAtomic(join(folder, "link.json"), "new");
    expect(readFileSync(join(folder, "later.json"), "utf8")).toBe("new");
    symlinkSync("b", join(folder, "a"));
    symlinkSync("a", join(folder, "b"));
    await expect(writeFileAtomic(join(folder, "a"), "x")).rejects.toMatchObject({ code: "GAUSSFLOW_FILE" });
  });

  it("keeps the mode of the old file, whatever the umask", async () => {
    const path = join(fresh(), "model.json");
    writeFileSync(path, "old");
    for (const mode of [0o600, 0o666, 0o640]) {
      chmodSync(path, mode);
      await writeFileAtomic(path, String(mode));
      expect(statSync(path).mode & 0o7777).toBe(mode);
      expect(readFileSync(path, "utf8")).toBe(String(mode));
    }
  });

  it.runIf(process.getuid?.() === 0)("keeps its owner and group", async () => {
    const path = join(fresh(), "model.json");
    writeFileSync(path, "old");
    chownSync(path, 12345, 23456);
    chmodSync(path, 0o640);
    await writeFileAtomic(path, "new");
    const { uid, gid, mode } = statSync(path);
    expect([uid, gid, mode & 0o7777]).toEqual([12345, 23456, 0o640]);
  });

  it.runIf(process.getuid?.() !== 0)("is refused where the old one may not be written", async () => {
    const path = join(fresh(), "model.json");
    writeFileSync(path, "old");
    chmodSync(path, 0o444);
    await expect(writeFileAtomic(path, "new")).rejects.toThrow(/permission denied/);
    await expect(checkWritable(path)).rejects.toThrow(/permission denied/);
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  it.each([
    ["as long as names may be", "x".repeat(250)],
    ["of wide letters", "é".repeat(120)],
  ])("may have a name %s", async (_, name) => {
    const folder = fresh();
    await writeFileAtomic(join(folder, `${name}.json`), "new");
    expect(readdirSync(folder)).toEqual([`${name}.json`]);
  });

  it("is refused where a directory is, or no directory", async () => {
    const folder = fresh();
    await expect(writeFileAtomic(folder, "x")).rejects.toThrow(/it is a directory/);
    await expect(writeFileAtomic(join(folder, "none", "a"), "x")).rejects.toThrow(/no such file or directory/);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.runIf(unix)("what is no regular file", () => {
  it("a device is written to and stays a device", async () => {
    await writeFileAtomic("/dev/null", "x");
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
    const link = join(fresh(), "null");
    symlinkSync("/dev/null", link);
    await checkWritable(link);
    await writeFileAtomic(link, "x");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it.runIf(existsSync("/dev/full"))("a full device is an error that names it", async () => {
    await expect(writeFileAtomic("/dev/full", "x")).rejects.toMatchObject({
      code: "GAUSSFLOW_FILE",
      message: expect.stringMatching(/^\/dev\/full: cannot be written: ENOSPC/),
    });
  });

  it("a FIFO is written to, whole, also where its reader comes later", async () => {
    const fifo = join(fresh(), "fifo");
    expect(spawnSync("mkfifo", [fifo]).status).toBe(0);
    const text = "long ".repeat(100_000);
    const written = writeFileAtomic(fifo, text);
    const read = readFile(fifo, "utf8");
    await written;
    expect(await read).toBe(text);
    expect(lstatSync(fifo).isFIFO()).toBe(true);
  });

  it("a process that waits for the reader of a FIFO can end", () => {
    const fifo = join(fresh(), "fifo");
    expect(spawnSync("mkfifo", [fifo]).status).toBe(0);
    const code = `void writeFileAtomic(${JSON.stringify(fifo)}, "x"); setImmediate(() => process.exit(7));`;
    expect(spawnSync(process.execPath, inChild(code), { timeout: 60_000 }).status).toBe(7);
  });

  it("standard output is written to where it is, behind what stands there", () => {
    const file = join(fresh(), "out.txt");
    writeFileSync(file, "before\n");
    const code = `process.stdout.write("first\\n"); await writeFileAtomic("/dev/stdout", "second\\n"); process.stdout.write("third\\n");`;
    const child = spawnSync(process.execPath, inChild(code), { stdio: ["ignore", openSync(file, "a"), "inherit"] });
    expect(child.status).toBe(0);
    expect(readFileSync(file, "utf8")).toBe("before\nfirst\nsecond\nthird\n");
    expect(spawnSync(process.execPath, inChild(code), { encoding: "utf8" }).stdout).toBe("first\nsecond\nthird\n");
  });
});

describe("leftovers of killed writes", () => {
  const dead = () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    return pid;
  };

  it("are removed by the next write of the same path, those of the living and of other machines are not", async () => {
    const folder = fresh();
    const path = join(folder, "model.json");
    const target = targetOf(path);
    if (target.kind !== "file") throw new Error("no file");
    const replacement = replaceFile(target);
    // The name of a file that this process has not finished: what others of this machine look like.
    const [, start, machine] =
      /\/(\.model\.json\.)\d+-([0-9a-f]{8})[0-9a-f]{8}\.tmp$/.exec(replacement.temporary) ?? [];
    const elsewhere = machine === "00000000" ? "11111111" : "00000000";
    const gone = [`${start}${dead()}-${machine}01234567.tmp`, `${start}${dead()}-01234567.tmp`];
    const kept = [
      `${start}${process.ppid}-${machine}01234567.tmp`,
      `${start}${process.pid}-${machine}01234567.tmp`,
      `${start}${dead()}-${elsewhere}01234567.tmp`,
      `.other.json.${dead()}-${machine}01234567.tmp`,
      `${start}notes.tmp`,
    ];
    for (const name of [...gone, ...kept]) writeFileSync(join(folder, name), "x");
    await writeFileAtomic(path, "new");
    expect(readdirSync(folder).sort()).toEqual([...kept, "model.json"].sort());
    replacement.abandon();
  });

  it("of a process killed in the middle of a write go with the next", async () => {
    const folder = fresh();
    const path = join(folder, "model.json");
    const code = `const text = "x".repeat(2 ** 24); for (;;) await writeFileAtomic(${JSON.stringify(path)}, text);`;
    const child = spawn(process.execPath, inChild(code), { stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("close", resolve));
    const temporaries = () => readdirSync(folder).filter((name) => name.endsWith(".tmp"));
    // The kill may also fall after that write: then nothing was left, and there is nothing to remove.
    while (temporaries().length === 0) await new Promise((resolve) => setImmediate(resolve));
    child.kill("SIGKILL");
    await ended;
    await writeFileAtomic(path, "whole");
    expect(readdirSync(folder)).toEqual(["model.json"]);
    expect(readFileSync(path, "utf8")).toBe("whole");
  });

  it("are none where a process ends by itself in the middle of a write", () => {
    const folder = fresh();
    const path = join(folder, "model.json");
    const code = `import { readdirSync } from "node:fs";
      void writeFileAtomic(${JSON.stringify(path)}, "x".repeat(2 ** 26));
      while (readdirSync(${JSON.stringify(folder)}).length === 0) await new Promise((resolve) => setImmediate(resolve));
      process.exit(7);`;
    expect(spawnSync(process.execPath, inChild(code)).status).toBe(7);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

describe.runIf(unix)("paths of one call", () => {
  const named = (name: string, path: string | undefined, written = true) => ({ name, path, written });

  it("may not lead to one file that is written", () => {
    const folder = fresh();
    const data = join(folder, "data.csv");
    writeFileSync(data, "1,2\n");
    symlinkSync("data.csv", join(folder, "link.csv"));
    linkSync(data, join(folder, "hard.csv"));
    symlinkSync(".", join(folder, "here"));
    for (const path of [data, "link.csv", "hard.csv", "here/data.csv", "./here/../data.csv"].map((one) =>
      one.startsWith("/") ? one : `${folder}/${one}`,
    ))
      expect(() => checkDistinct([named("the table", data, false), named("--out", path)])).toThrow(
        `--out must be another file than the table (${JSON.stringify(data)}), which it would replace; received ${JSON.stringify(path)}`,
      );
    // Neither is there yet, and both lead to one place.
    expect(() =>
      checkDistinct([named("--out", join(folder, "new")), named("--checkpoint", join(folder, "here", "new"))]),
    ).toThrow(/^--checkpoint must be another file than --out/);
    // What is read may be named after what is written.
    expect(() => checkDistinct([named("--out", data), named("the table", data, false)])).toThrow(/^--out must be/);
  });

  it("may be read twice, be devices, or be said to share a file", () => {
    const path = join(fresh(), "same");
    writeFileSync(path, "");
    checkDistinct([named("a", path, false), named("b", path, false)]);
    checkDistinct([named("a", "/dev/null"), named("b", "/dev/null"), named("c", undefined)]);
    checkDistinct([named("--resume", path, false), { ...named("--checkpoint", path), mayShare: "--resume" }]);
    expect(() =>
      checkDistinct([
        named("--resume", path, false),
        { ...named("--checkpoint", path), mayShare: "--resume" },
        named("--out", path),
      ]),
    ).toThrow(/^--out must be another file than --resume/);
  });
});
