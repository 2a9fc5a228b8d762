/**
 * The bytes of a buffer by themselves: it may start at any byte of a larger one, and a typed array only
 * at a multiple of its size.
 */
export function bytes(view: ArrayBufferView | ArrayBuffer): ArrayBuffer {
  if (view instanceof ArrayBuffer) return view;
  const copy = new Uint8Array(view.byteLength);
  copy.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return copy.buffer;
}
