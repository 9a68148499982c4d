/** The panes of the policy tools; their code is fetched when the first of them is shown. */
import { lazy, Suspense } from 'react';
import { text } from './text';

const Bench = lazy(() => import('./PolicyBenchPanel').then((module) => ({ default: module.PolicyBenchPanel })));
const EzPolicy = lazy(() => import('./ezpolicy/EzPolicyPanel').then((module) => ({ default: module.EzPolicyPanel })));
const Gen = lazy(() => import('./gen/GenPanel').then((module) => ({ default: module.GenPanel })));

const loading = <p className="quiet padded">{text.loading}</p>;

export function PolicyPanel() {
  return (
    <Suspense fallback={loading}>
      <Bench />
    </Suspense>
  );
}

export function EzPolicyPane() {
  return (
    <Suspense fallback={loading}>
      <EzPolicy />
    </Suspense>
  );
}

export function GenPane() {
  return (
    <Suspense fallback={loading}>
      <Gen />
    </Suspense>
  );
}
