#!/usr/bin/env node
// Entry point of the command line: npm links it as `gaussflow` (bin in package.json). It listens for signals before it loads the rest
// (run.ts), which takes a while.
import { listenForSignals } from "./signals.js";

listenForSignals();
await import("./run.js");
