/** The pane of live migration; its code is fetched when it is first shown. */
import { lazy, Suspense } from 'react';
import { text } from './text';

const Panel = lazy(() => import('./MigrationPanel').then((module) => ({ default: module.MigrationPanel })));

export function MigrationPane() {
  return (
    <Suspense fallback={<p className="quiet padded">{text.loading}</p>}>
      <Panel />
    </Suspense>
  );
}
