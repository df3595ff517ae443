// Prints how many bytes the code of a module's largest function has.
// usage: node tools/largest.mjs MODULE
import { readFileSync } from 'node:fs';
import { argv } from 'node:process';

const CODE = 10;
const bytes = readFileSync(argv[2]);
// After the magic number and the version.
let at = 8;

/// The number here (LEB128, WebAssembly core specification, 5.2.2), and on behind it.
function number() {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at];
    at += 1;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      return value >>> 0;
    }
  }
}

let largest = 0;
while (at < bytes.length) {
  const section = bytes[at];
  at += 1;
  const length = number();
  const end = at + length;
  if (section === CODE) {
    for (let left = number(); left > 0; left -= 1) {
      const size = number();
      largest = Math.max(largest, size);
      at += size;
    }
  }
  at = end;
}
if (largest === 0) {
  throw new Error(`${argv[2]} has no code`);
}
console.log(largest);
