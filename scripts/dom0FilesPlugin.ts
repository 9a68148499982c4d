/** Bundles the files that Domain-0 is installed from (public/dom0) into one JSON file, which the host's worker fetches. */
import type { Plugin } from 'vite';
import { readDom0Files } from '../workers/platform/node/dom0Files.ts';

export const DOM0_FILES = 'dom0-files.json';

export function dom0Files(): Plugin {
  return {
    name: 'xen-lab-dom0-files',
    configureServer(server) {
      server.middlewares.use(`/${DOM0_FILES}`, (_request, response) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(readDom0Files()));
      });
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: DOM0_FILES, source: JSON.stringify(readDom0Files()) });
    },
  };
}
