#!/usr/bin/env node
// The first line of the command line. Signals are heard before anything else is loaded, which takes a while.
import { listenForSignals } from "./signals.js";

listenForSignals();
await import("./run.js");
