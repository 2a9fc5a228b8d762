// The licences of the npm packages whose code is in a bundle, as one text: their authors ask that it travels along.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Of a path in a bundler's list of inputs, the package that it is from, or null for code of our own. */
export function packageOf(input) {
  const found = /^.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(input);
  return found === null ? null : found[1].replaceAll("\\", "/");
}

function licenceOf(folder, name) {
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  if (file === undefined) throw new Error(`${name} is in a bundle and ships no licence text.`);
  return readFileSync(join(folder, file), "utf8").trim();
}

/**
 * @param {string[]} inputs paths of the files that went into the bundle
 * @param {string} root the folder that holds node_modules
 */
export function licencesOf(inputs, root) {
  const names = [...new Set(inputs.map(packageOf).filter((name) => name !== null))].sort();
  const parts = names.map((name) => {
    const folder = join(root, "node_modules", name);
    if (!existsSync(folder)) throw new Error(`${name} is in a bundle but not in node_modules.`);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `${name} ${version} (${license})\n\n${licenceOf(folder, name)}\n`;
  });
  const intro =
    parts.length === 0
      ? "No code of other packages is in this bundle.\n"
      : "Code of these packages is in this bundle.\n";
  return [intro, ...parts].join(`\n${"-".repeat(80)}\n\n`);
}
