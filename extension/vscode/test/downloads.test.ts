// Files made in the page of a web view go to the extension; every other link stays a link.

import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { until } from "../../dev/clock";
import { handOverDownloads } from "../src/webview/downloads";

const saved: { name: string; data: string }[] = [];
let count = 0;

beforeAll(() => {
  // The page's own, as the web view finds it; the stand-in for a browser here makes no addresses.
  URL.createObjectURL = () => {
    count += 1;
    return `blob:here/${count}`;
  };
  handOverDownloads((name, data) => saved.push({ name, data }));
});

beforeEach(() => {
  saved.length = 0;
  document.body.replaceChildren();
});

function link(address: string, download: string | null): HTMLAnchorElement {
  const made = document.createElement("a");
  made.href = address;
  if (download !== null) made.download = download;
  return made;
}

it.each([true, false])(
  "a file is handed over, whether its link is in the page: %s",
  async (inPage) => {
    const file = link(URL.createObjectURL(new Blob(["\u00e9<svg/>"])), "map.svg");
    if (inPage) document.body.append(file);
    file.click();
    await until(() => expect(saved).toHaveLength(1));
    expect(saved[0]?.name).toBe("map.svg");
    const bytes = Uint8Array.from(atob(saved[0]?.data ?? ""), (letter) => letter.charCodeAt(0));
    expect(new TextDecoder().decode(bytes)).toBe("\u00e9<svg/>");
  },
);

it("a large file arrives whole", async () => {
  const bytes = new Uint8Array(300_000).map((_, at) => at % 251);
  const file = link(URL.createObjectURL(new Blob([bytes])), "map.png");
  document.body.append(file);
  file.click();
  await until(() => expect(saved).toHaveLength(1));
  expect(atob(saved[0]?.data ?? "").length).toBe(300_000);
});

it.each([
  ["https://example.org/a.svg", "a.svg"],
  ["blob:elsewhere/1", "a.svg"],
])("a link that is no file of this page is left alone: %s", async (address, name) => {
  const other = link(address, name);
  document.body.append(other);
  const followed = vi.fn((event: Event) => event.preventDefault());
  document.addEventListener("click", followed, { once: true });
  other.click();
  expect(followed).toHaveBeenCalledOnce();
  expect(saved).toEqual([]);
});

it("a file's link without the wish to save it is left alone", () => {
  const other = link(URL.createObjectURL(new Blob(["x"])), null);
  document.body.append(other);
  document.addEventListener("click", (event) => event.preventDefault(), { once: true });
  other.click();
  expect(saved).toEqual([]);
});
