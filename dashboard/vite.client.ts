import { defineConfig } from "vite"

/** The client core as a package of its own: `npm run build:client`, then `npm publish src/client`. */
export default defineConfig({
  publicDir: false,
  build: {
    lib: { entry: "src/client/index.ts", formats: ["es"], fileName: "index" },
    // A library keeps its white space otherwise; the sources are where it says.
    rolldownOptions: { output: { minify: true } },
    outDir: "src/client/dist",
    emptyOutDir: true,
  },
})
