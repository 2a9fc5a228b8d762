// VS Code's web views save nothing by themselves: a link to a file made in the page is handed to the
// extension, which asks where to put it.

type Save = (name: string, data: string) => void;

function base64(data: ArrayBuffer): string {
  const bytes = new Uint8Array(data);
  let text = "";
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

/** The blobs whose addresses the page has made, because a strict policy lets it fetch none of them. */
const made = new Map<string, Blob>();
/** As many as are remembered. */
const MOST = 32;

export function handOverDownloads(save: Save): void {
  const create = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (object: Blob | MediaSource): string => {
    const address = create(object);
    if (object instanceof Blob) made.set(address, object);
    for (const oldest of made.keys()) {
      if (made.size <= MOST) break;
      made.delete(oldest);
    }
    return address;
  };
  const take = (link: HTMLAnchorElement): boolean => {
    const blob = made.get(link.href);
    if (!link.hasAttribute("download") || blob === undefined) return false;
    const name = link.download || "board";
    void blob.arrayBuffer().then((data) => save(name, base64(data)));
    return true;
  };
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      if (link !== null && take(link)) event.preventDefault();
    },
    true,
  );
  // A link that was never put into the page is clicked past the document.
  const click = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function (this: HTMLAnchorElement): void {
    if (this.isConnected || !take(this)) click.call(this);
  };
}
