declare module "*.ipynb" {
  const notebook: Record<string, unknown>;
  export default notebook;
}
