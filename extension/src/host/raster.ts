// A drawing as a picture of pixels, made by the browser.

/** Pixels a unit of the drawing, for print. */
const SCALE = 3;
/** More than this on a side no browser draws. */
const LARGEST = 16_000;

function loaded(url: string): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("This page does not let the panel draw pictures."));
    image.src = url;
  });
}

/** The size of an SVG in its own units. */
export function sizeOf(svg: string): { width: number; height: number } {
  const [, width, height] = /<svg[^>]*\swidth="([\d.]+)"\sheight="([\d.]+)"/.exec(svg) ?? [];
  if (width === undefined || height === undefined)
    throw new Error("The drawing does not say its size.");
  return { width: Number(width), height: Number(height) };
}

/** PNG of an SVG that needs nothing from outside. Rejects where the page forbids pictures. */
export async function pngOf(svg: string): Promise<Blob> {
  const { width, height } = sizeOf(svg);
  const scale = Math.min(SCALE, LARGEST / Math.max(width, height));
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = await loaded(url);
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
    if (blob === null) throw new Error("The browser could not draw a picture of this size.");
    return blob;
  } finally {
    URL.revokeObjectURL(url);
  }
}
