/// <reference types="vitest/config" />
import tailwindcss from "@tailwindcss/vite"
import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"

export default defineConfig({
  // Relative, for the page may be served below any path; what it asks for, it finds from its own address (src/root.ts).
  base: "./",
  plugins: [react(), tailwindcss()],
  build: {
    outDir: "../services/gateway/src/gateway/page",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    // Fonts and pictures are few; a `data:` address would be script of the first load.
    assetsInlineLimit: 0,
  },
  test: { include: ["tests/**/*.test.{ts,tsx}"], sequence: { shuffle: true } },
})
