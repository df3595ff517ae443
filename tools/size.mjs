// Sums up what twiggy says of a module: bytes by crate, Vestibule's own by module, and the largest functions.
// usage: twiggy top --format json MODULE | node tools/size.mjs
import { readFileSync } from 'node:fs';

const LARGEST = 40;

/// Whose code or data it is, by the first path in its name: of `<A as B>::c` that is A's.
function owner(name) {
  if (name.startsWith('data segment')) {
    return '(data)';
  }
  const path = name.match(/[a-z_][a-z0-9_]*(?:::[a-z_][a-z0-9_]*)*(?=::)/)?.[0];
  if (path === undefined) {
    return '(no path: C, exports, types)';
  }
  const [crate, module] = path.split('::');
  return crate === 'vestibule' && module !== undefined ? `${crate}::${module}` : crate;
}

const items = JSON.parse(readFileSync(0, 'utf8'))
  // Without hashes: of the old form at the end, of the new one after a crate's name.
  .map(({ name, shallow_size }) => ({ name: name.replace(/::h[0-9a-f]{16}$|\[[0-9a-f]+\]/g, ''), bytes: shallow_size }))
  // The names are not shipped.
  .filter(({ name }) => !name.includes('subsection') && !name.startsWith('custom section'));

const owners = new Map();
for (const { name, bytes } of items) {
  owners.set(owner(name), (owners.get(owner(name)) ?? 0) + bytes);
}

function table(title, rows) {
  console.log(`\n  ${title}`);
  for (const [name, bytes] of rows) {
    console.log(`  ${String(bytes).padStart(8)}  ${name.length > 140 ? `${name.slice(0, 139)}…` : name}`);
  }
}

const byBytes = (a, b) => b[1] - a[1];
table('bytes, by crate', [...owners].sort(byBytes).filter(([, bytes]) => bytes >= 1000));
table(
  `bytes, the ${LARGEST} largest functions`,
  items.filter(({ name }) => owner(name) !== '(data)').map(({ name, bytes }) => [name, bytes]).sort(byBytes).slice(0, LARGEST),
);
console.log();
