// platformPackage() returns the name of the package that may hold a prebuilt addon for this machine. self-test.mjs calls it to look for
// one.
import { existsSync } from "node:fs";

/** For example @gaussflow/linux-x64 or @gaussflow/linux-arm64-musl. */
export function platformPackage() {
  const musl = process.platform === "linux" && existsSync("/etc/alpine-release") ? "-musl" : "";
  return `@gaussflow/${process.platform}-${process.arch}${musl}`;
}
