import './ui/theme.css';
import './ui/workbench.css';
import './ui/controls.css';
import './secondHost/secondHost.css';
import './computers/computers.css';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { installTheme } from './ui/theme';
import { connectWorker } from './worker/connect';
import type { Connect } from './worker/LabContext';

/** In development `?fake` shows the page over a canned machine; a built page has only the real one. */
async function chooseConnection(): Promise<Connect> {
  if (import.meta.env.DEV && new URLSearchParams(location.search).has('fake')) {
    const { connectFake } = await import('./worker/fakeLab');
    return connectFake;
  }
  return connectWorker;
}

installTheme();
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
void chooseConnection().then((connect) => createRoot(root).render(<App connect={connect} />));
