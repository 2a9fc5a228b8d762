// Merged into the build of @jupyter/builder: TypeScript is taken as it is, types are checked by tsc alone.
module.exports = {
  resolve: { extensions: [".tsx", ".ts", ".js", ".json"] },
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        loader: "builtin:swc-loader",
        options: {
          jsc: {
            parser: { syntax: "typescript", tsx: true },
            transform: { react: { runtime: "automatic", importSource: "preact" } },
            target: "es2022",
          },
        },
        type: "javascript/auto",
      },
      { test: /\.ipynb$/, type: "json" },
      {
        test: /preact[\\/]dist[\\/]preact\.m?js$/,
        loader: require.resolve("../../plain_text.cjs"),
      },
    ],
  },
};
