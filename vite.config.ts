import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { dom0Files } from './scripts/dom0FilesPlugin.ts';

export default defineConfig({
  plugins: [react(), dom0Files()],
  worker: { format: 'es' },
  // A package first met inside a worker would make the dev server reload the page in the middle of a lab.
  optimizeDeps: { include: ['comlink', 'fflate', 'idb-keyval', 'saxes', 'unbash'] },
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 4000,
    // The editor is loaded when its pane is first shown: the page must not fetch it ahead of the shell prompt.
    modulePreload: { resolveDependencies: (_file, deps) => deps.filter((dep) => !/CodeEditor|monaco/.test(dep)) },
  },
});
