import { defineConfig } from "vite";

// The Python service serves what is built here at `/` (src/skykeep/data/web/ goes into the wheel).
export default defineConfig({
  base: "./",
  worker: { format: "es" },
  build: {
    outDir: "../src/skykeep/data/web",
    emptyOutDir: true,
    // The watch page, and the page for everybody, which is also exported as files.
    rollupOptions: { input: ["index.html", "public.html"] },
    target: "es2022",
    // MapLibre is one large module; splitting it would gain nothing on a local network.
    chunkSizeWarningLimit: 2500,
    // Inlined assets would need `data:` in more places of the content security policy.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: { "/v1": { target: "http://127.0.0.1:8460", ws: true } },
  },
});
