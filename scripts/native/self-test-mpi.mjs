// A child process of build-mpi.mjs: loads the addon of MPI, begins MPI as a process that mpirun has not started, makes each kind of exchange
// with itself, and ends MPI. A library of another MPI than the one of the compiler then costs this process only.
//   node self-test-mpi.mjs FILE
// Prints one JSON line: { ok, message, library }.
import { constants } from "node:os";

const ALONE = { contributes: true, parent: -1, children: new Int32Array(0), copies: new Int32Array(0) };

async function test() {
  const module = { exports: {} };
  process.dlopen(module, process.argv[2], constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL);
  const addon = module.exports;
  const { rank, size, library } = await addon.open();
  if (rank !== 0 || size !== 1) throw new Error(`a process alone is rank ${rank} of ${size}`);
  const values = Float64Array.of(1, 2.5);
  const gathered = await addon.gather(values);
  const bytes = await addon.broadcast(Uint8Array.of(3));
  const letter = addon.receive();
  await addon.send(0, Uint8Array.of(4, 5));
  const received = await letter;
  const sum = await addon.sum(ALONE, values);
  await addon.barrier();
  const found = [...gathered, ...sum, ...bytes, received.rank, ...received.bytes].join();
  if (found !== "1,2.5,1,2.5,3,0,4,5") throw new Error(`the exchanges of a process with itself gave ${found}`);
  addon.end(0);
  return { ok: true, message: "exchanges agree", library };
}

let answer;
try {
  answer = await test();
} catch (error) {
  answer = { ok: false, message: String(error?.message ?? error).split("\n", 1)[0] };
}
process.stdout.write(`${JSON.stringify(answer)}\n`);
