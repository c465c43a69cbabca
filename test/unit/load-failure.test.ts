// What a person reads when the addon is there and does not load: the true cause and the command that cures it, for each dynamic loader's
// own words.
import { describe, expect, it } from "vitest";
import { explainLoadFailure } from "../../src/backend/native/load-failure.js";
import type { System } from "../../src/backend/native/system-libraries.js";

const debian: System = { platform: "linux", release: 'ID=ubuntu\nID_LIKE="debian"', root: false };
const fedora: System = { platform: "linux", release: "ID=fedora", root: true };
const alpine: System = { platform: "linux", release: "ID=alpine", root: true };
const other: System = { platform: "linux", release: "ID=void", root: true };
const mac: System = { platform: "darwin", release: "", root: false };

const rebuild = "npx gaussflow build";

function explained(message: string, system = debian, code = "ERR_DLOPEN_FAILED") {
  return explainLoadFailure({ code, message, rebuild, system });
}

describe("an addon that does not load", () => {
  it("may not: the flags of Node are the cause and the cure", () => {
    const { reason, hint } = explained(
      "Cannot load native addon because loading addons is disabled.",
      debian,
      "ERR_DLOPEN_DISABLED",
    );
    expect(reason).toMatch(/--no-addons/);
    expect(hint).toMatch(/^start Node without --no-addons/);
  });

  it.each([
    ["libopenblas.so.0", debian, "sudo apt-get install libopenblas0"],
    ["libopenblas.so.0", fedora, "dnf install 'libopenblas.so.0()(64bit)'"],
    ["liblapack.so.3", debian, "sudo apt-get install libopenblas0"],
    ["libstdc++.so.6", debian, "sudo apt-get install libstdc++6"],
    // The case on record: a copy of the addon with its library misspelled.
    ["libopenblaz.so.0", debian, "sudo apt-get install libopenblas0"],
    ["libsomething.so.1", debian, "install the system package that holds libsomething.so.1"],
    [
      "libopenblas.so.0",
      other,
      "install the system package that holds libopenblas.so.0 (Debian: libopenblas0, Alpine: openblas, Arch: openblas)",
    ],
  ] as const)("lacks the library %s", (name, system, cure) => {
    const { reason, hint } = explained(`${name}: cannot open shared object file: No such file or directory`, system);
    expect(reason).toBe(`the shared library ${name}, which the native engine needs, is not installed`);
    expect(hint).toBe(cure);
  });

  it("lacks a library, in the words of musl and of macOS", () => {
    const musl =
      "Error loading shared library libopenblas.so.3: No such file or directory (needed by /app/gaussflow.node)";
    expect(explained(musl, alpine).hint).toBe("apk add openblas");
    const dyld =
      "dlopen(/app/gaussflow.node, 0x0001): Library not loaded: @rpath/libopenblas.0.dylib\n  Referenced from: x";
    expect(explained(dyld, mac).hint).toBe("brew install openblas");
  });

  it.each([
    ["/app/gaussflow.node: invalid ELF header", /another system or processor/],
    ["/app/gaussflow.node: wrong ELF class: ELFCLASS32", /another system or processor/],
    ["/app/gaussflow.node: file too short", /damaged/],
    ["mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64')", /another system or processor/],
    // glibc says so of an ELF file of 64 bits for another machine.
    ["/app/gaussflow.node: cannot open shared object file: No such file or directory", /another processor/],
    [
      "Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by x)",
      /built for glibc.*musl/,
    ],
    [
      "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /app/gaussflow.node)",
      /newer libraries \(this one has no GLIBC_2\.38\)/,
    ],
    [
      "/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /app/gaussflow.node)",
      /no GLIBCXX_3\.4\.32/,
    ],
    ["/app/gaussflow.node: undefined symbol: dsyrk_64_", /another BLAS.*no dsyrk_64_/],
  ])("was built elsewhere: %s", (message, reason) => {
    const found = explained(message);
    expect(found.reason).toMatch(reason);
    expect(found.hint).toBe(rebuild);
  });

  it("meets a Node that is too old for its interface", () => {
    const found = explained("/app/gaussflow.node: undefined symbol: napi_add_finalizer");
    expect(found.reason).toMatch(/this Node is too old/);
    expect(found.hint).toBe("update Node");
  });

  it("fails in words that are not known: they are repeated", () => {
    expect(explained("out of pixie dust\nsecond line")).toEqual({
      reason: "the native engine does not load: out of pixie dust",
      hint: rebuild,
    });
  });
});
