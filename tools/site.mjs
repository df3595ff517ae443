// The pages of the repository as the source of a book, and whether the book that came of it holds together.
// usage: node tools/site.mjs stage FOLDER   docs/SUMMARY.md's pages, wherever they stand, with book.toml, into FOLDER
//        node tools/site.mjs check FOLDER   every link of the HTML in FOLDER
//
// A page keeps its path below docs/, or else below the root, and takes along the pictures, manifests and data that it
// links to. A link to anything else leads into the tree of REPOSITORY (https://github.com/OWNER/NAME/tree/REF), or,
// without that, stays as its text.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const elsewhere = /^(?:[a-z]+:|\/\/)/;

function fail(message) {
    console.error(`site: ${message}`);
    process.exit(1);
}

function* files(folder) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) yield* files(path);
        else yield path;
    }
}

// Where a file of the repository stands in the book. A README is the front page of its folder.
function place(path) {
    const below = path.startsWith("docs/") ? path.slice("docs/".length) : path;
    return below.replace(/(^|\/)README\.md$/, "$1index.md");
}

// What is no code of a page, with each of its links rewritten.
function withLinks(markdown, rewrite) {
    const fence = /^([ \t]*)(```+|~~~+)[^]*?^[ \t]*\2[ \t]*$/gm;
    const link = /(`+)[^`][^]*?\1(?!`)|(!?)\[((?:`[^`]*`|[^[\]]|\[[^\]]*\]|!\[[^\]]*\]\([^)]*\))*)\]\(([^()\s]+)\)/g;
    const prose = (text) =>
        text.replace(link, (whole, code, picture, label, target) =>
            code !== undefined ? whole : rewrite(whole, picture, label, target),
        );
    let out = "";
    let end = 0;
    for (const block of markdown.matchAll(fence)) {
        out += prose(markdown.slice(end, block.index)) + block[0];
        end = block.index + block[0].length;
    }
    return out + prose(markdown.slice(end));
}

function stage(folder) {
    const source = join(folder, "src");
    const summary = readFileSync(join(root, "docs/SUMMARY.md"), "utf8");
    const pages = new Map();
    withLinks(summary, (whole, _, label, target) => {
        const path = posix.join("docs", target);
        if (!existsSync(join(root, path))) fail(`docs/SUMMARY.md lists ${target}, which is not there`);
        pages.set(path, place(path));
        return whole;
    });
    if (new Set(pages.values()).size !== pages.size) fail("two pages would stand at one place of the book");

    const repository = process.env.REPOSITORY?.replace(/\/$/, "") || undefined;
    const written = new Map();
    const taken = new Set();
    rmSync(source, { recursive: true, force: true });
    // The list itself is read by mdbook and becomes no page.
    for (const [path, to] of [["docs/SUMMARY.md", "SUMMARY.md"], ...pages]) {
        const markdown = readFileSync(join(root, path), "utf8");
        written.set(
            to,
            withLinks(markdown, (whole, picture, label, target) => {
                if (elsewhere.test(target) || target.startsWith("#")) return whole;
                const [at, fragment] = target.split("#");
                const meant = posix.join(posix.dirname(path), at);
                if (!existsSync(join(root, meant))) fail(`${path} links to ${target}, which is not there`);
                if (isTaken(meant)) taken.add(meant);
                const there = pages.get(meant) ?? (isTaken(meant) ? place(meant) : undefined);
                if (there !== undefined) {
                    const way = posix.relative(posix.dirname(to), there);
                    return `${picture}[${label}](${way}${fragment === undefined ? "" : `#${fragment}`})`;
                }
                return repository === undefined ? label : `${picture}[${label}](${repository}/${meant})`;
            }),
        );
    }
    for (const [to, markdown] of written) {
        mkdirSync(dirname(join(source, to)), { recursive: true });
        writeFileSync(join(source, to), markdown);
    }
    for (const path of taken) cpSync(join(root, path), join(source, place(path)));
    cpSync(join(root, "docs/book.toml"), join(folder, "book.toml"));
}

function isTaken(path) {
    return /\.(?:svg|png|ya?ml|json)$/.test(path) && statSync(join(root, path)).isFile();
}

// The book's HTML is mdbook's own: attributes in double quotes, no scripts that write links.
function check(folder) {
    const ids = new Map();
    const pages = [...files(folder)].filter((file) => file.endsWith(".html"));
    const text = (file) => readFileSync(file, "utf8").replace(/<script[^]*?<\/script>/g, "");
    const decoded = (value) => decodeURIComponent(value.replaceAll("&amp;", "&"));
    const idsOf = (file) => {
        if (!ids.has(file)) ids.set(file, new Set([...text(file).matchAll(/\sid="([^"]*)"/g)].map((found) => found[1])));
        return ids.get(file);
    };
    let followed = 0;
    const faults = [];
    // 404.html is shown at any path, and its links are of the server's root.
    for (const page of pages.filter((page) => !page.endsWith("/404.html"))) {
        for (const [, target] of text(page).matchAll(/\s(?:href|src)="([^"]*)"/g)) {
            if (elsewhere.test(target)) continue;
            followed += 1;
            const [at, fragment] = target.split("#");
            const file = at === "" ? page : resolve(dirname(page), decoded(at));
            const fault = !existsSync(file) ? "there is no such file"
                : fragment && !idsOf(file).has(decoded(fragment)) ? "the page has no such heading"
                : undefined;
            if (fault !== undefined) faults.push(`${relative(folder, page)}: ${target}: ${fault}`);
        }
    }
    if (faults.length > 0) fail(`links that lead nowhere:\n${[...new Set(faults)].join("\n")}`);
    if (pages.length < 20) fail(`${folder} has ${pages.length} pages: that is not the book`);
    console.log(`${folder}: ${pages.length} pages, ${followed} links followed`);
}

const [command, folder] = process.argv.slice(2);
if (folder === undefined) fail("usage: node tools/site.mjs stage|check FOLDER");
if (command === "stage") stage(folder);
else if (command === "check") check(folder);
else fail(`there is no ${command}: stage or check`);
