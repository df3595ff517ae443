// Runs a WASI program in Node, whose V8 is the engine that Envoy has too.
// usage: node tools/wasi.mjs PROGRAM.wasm
import { readFile } from 'node:fs/promises';
import { argv, exit } from 'node:process';
import { WASI } from 'node:wasi';

const wasi = new WASI({ version: 'preview1', returnOnExit: true });
const program = await WebAssembly.compile(await readFile(argv[2]));
// What the host layer would call of Envoy; a measurement calls none of it.
const env = new Proxy({}, { get: (_, name) => () => { throw new Error(`${name} is Envoy's`); } });
const { exports } = await WebAssembly.instantiate(program, { ...wasi.getImportObject(), env });
// The host layer exports an `_initialize`, by which Node would take the program for a library.
exit(wasi.start({ exports: { _start: exports._start, memory: exports.memory } }));
