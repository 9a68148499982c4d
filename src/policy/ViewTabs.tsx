import { type FunctionComponent, type KeyboardEvent, useRef } from 'react';
import { useBench } from './bench';
import { text, type ViewId } from './text';
import { AssertionsView } from './views/AssertionsView';
import { BinaryView } from './views/BinaryView';
import { ConflictSetsView } from './views/ConflictSetsView';
import { DiffView } from './views/DiffView';
import { FlowsView } from './views/FlowsView';
import { FormView } from './views/FormView';
import { MapView } from './views/MapView';
import { MatrixView } from './views/MatrixView';
import { TogetherView } from './views/TogetherView';
import { WhatIfView } from './views/WhatIfView';
import { WhyView } from './views/WhyView';

const views: Readonly<Record<ViewId, FunctionComponent>> = {
  matrix: MatrixView,
  sets: ConflictSetsView,
  flows: FlowsView,
  whatif: WhatIfView,
  why: WhyView,
  assertions: AssertionsView,
  form: FormView,
  binary: BinaryView,
  map: MapView,
  together: TogetherView,
  diff: DiffView,
};
const ids = Object.keys(views) as ViewId[];

export function ViewTabs() {
  const view = useBench((state) => state.view);
  const opened = useBench((state) => state.opened);
  const list = useRef<HTMLDivElement>(null);
  const { show } = useBench.getState();
  const View = views[view];
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const next = ids[(ids.indexOf(view) + step + ids.length) % ids.length]!;
    show(next);
    list.current?.querySelector<HTMLElement>(`#policy-tab-${next}`)?.focus();
  };
  return (
    <div className="policy-views">
      <div role="tablist" aria-label={text.views} ref={list} onKeyDown={onKeyDown}>
        {ids.map((id) => (
          <button
            key={id}
            id={`policy-tab-${id}`}
            type="button"
            role="tab"
            aria-selected={id === view}
            aria-controls="policy-view"
            tabIndex={id === view ? 0 : -1}
            onClick={() => show(id)}
          >
            {text.viewNames[id]}
            <Badge view={id} />
          </button>
        ))}
      </div>
      <div
        id="policy-view"
        role="tabpanel"
        aria-labelledby={`policy-tab-${view}`}
        className="policy-view"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs a tab stop
        tabIndex={0}
      >
        {/* What was chosen in a view belongs to one policy. */}
        <View key={opened} />
      </div>
    </div>
  );
}

/** What a view that is not in front would say. */
function Badge({ view }: { view: ViewId }) {
  const failing = useBench((state) => state.whatIf?.assertions.filter((each) => each.state !== 'holds').length ?? 0);
  const reasons = useBench((state) => {
    const { whatIf } = state;
    return whatIf?.inForce === undefined || whatIf.isSame ? 0 : whatIf.reasons.length;
  });
  const count = view === 'assertions' ? failing : view === 'whatif' ? reasons : 0;
  return count > 0 ? <span className="badge">{count}</span> : null;
}
