// The one place where a string could be parsed as HTML is Preact's own dangerouslySetInnerHTML. Nothing here uses it;
// in both bundles it sets plain text, so that nothing ever can.
module.exports = function plainText(source) {
  const text = source.replaceAll(".innerHTML", ".textContent");
  if (text === source) throw new Error("Preact sets HTML in another way now: see plain_text.cjs.");
  return text;
};
