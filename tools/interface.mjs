// The names by which a module and its host know each other, against those that are written down.
// usage: node tools/interface.mjs graph LIST             what wasm-metadce is to keep, as its JSON
//        node tools/interface.mjs check LIST MODULE      fails unless the module has exactly these names
import { readFileSync } from 'node:fs';
import { argv, exit, stdout } from 'node:process';

const [command, list, file] = argv.slice(2);
// A line is `export NAME` or `import MODULE NAME`; a `#` begins a comment.
const written = new Set(readFileSync(list, 'utf8').split('\n').filter((line) => line !== '' && line[0] !== '#'));

function graph() {
  const names = [...written].filter((line) => line.startsWith('export ')).map((line) => line.slice(7));
  const kept = names.map((name) => ({ name, export: name }));
  stdout.write(JSON.stringify([{ name: 'host', root: true, reaches: names }, ...kept]));
}

function check() {
  const module = new WebAssembly.Module(readFileSync(file));
  const found = new Set([
    ...WebAssembly.Module.exports(module).map(({ name }) => `export ${name}`),
    ...WebAssembly.Module.imports(module).map(({ module, name }) => `import ${module} ${name}`),
  ]);
  const faults = [
    ...[...written].filter((line) => !found.has(line)).map((line) => `missing: ${line}`),
    ...[...found].filter((line) => !written.has(line)).map((line) => `not in ${list}: ${line}`),
  ];
  for (const fault of faults) {
    console.error(`interface: ${file}: ${fault}`);
  }
  return faults.length;
}

switch (command) {
  case 'graph':
    graph();
    break;
  case 'check':
    exit(check() > 0 ? 1 : 0);
    break;
  default:
    console.error('usage: node tools/interface.mjs graph LIST | check LIST MODULE');
    exit(2);
}
