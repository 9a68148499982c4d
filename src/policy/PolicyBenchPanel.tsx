import { lazy, Suspense, useEffect } from 'react';
import { useLab } from '../store/labStore';
import { SplitPane } from '../ui/SplitPane';
import { useLabHandle } from '../worker/LabContext';
import { AcmChooser } from './AcmChooser';
import { BenchBar } from './BenchBar';
import { useBench } from './bench';
import { IssueList } from './IssueList';
import { labelAtLine } from './labelAtLine';
import './policy.css';
import { text } from './text';
import { useAnalysis } from './useAnalysis';
import { useLivePolicy } from './useLive';
import { ViewTabs } from './ViewTabs';

/** Monaco is fetched with the first text, not with the pane. */
const PolicyXmlEditor = lazy(() => import('./PolicyXmlEditor').then((module) => ({ default: module.PolicyXmlEditor })));
const NO_ISSUES = [] as const;

/** Policies written, examined, and held against the machine. */
export function PolicyBenchPanel() {
  useLivePolicy();
  useAnalysis();
  useFirstPolicy();
  useDiskChanges();
  return (
    <div className="panel policy">
      <BenchBar />
      <SplitPane label={text.split} initial={44} left={<TextSide />} right={<ViewTabs />} />
    </div>
  );
}

/** With nothing open, the policy in force is what one wants to see. */
function useFirstPolicy(): void {
  const { api } = useLabHandle();
  const name = useLab((state) => state.policy?.policy?.name);
  useEffect(() => {
    const { xml, openInForce } = useBench.getState();
    if (name !== undefined && xml === '') void openInForce(api);
  }, [api, name]);
}

/** Somebody else (vi, xensec_gen, another pane) has written the file. */
function useDiskChanges(): void {
  const { api } = useLabHandle();
  const changes = useLab((state) => {
    const { path } = useBench.getState();
    return path === undefined ? 0 : (state.fileChanges[path] ?? 0);
  });
  useEffect(() => {
    if (changes > 0) void useBench.getState().refresh(api);
  }, [api, changes]);
}

function TextSide() {
  const { api } = useLabHandle();
  const xml = useBench((state) => state.xml);
  const opened = useBench((state) => state.opened);
  const issues = useBench((state) => state.analysis?.issues ?? NO_ISSUES);
  const form = useBench((state) => state.lastForm);
  const reveal = useBench((state) => state.reveal);
  const isBuilt = useLab((state) => state.policy?.isBuilt);
  const { edit, save } = useBench.getState();
  const onCursor = (line: number) => {
    const { analysis, select, label } = useBench.getState();
    const found = labelAtLine(analysis?.policy?.labels ?? [], line);
    if (found !== label) select(found);
  };
  return (
    <section className="policy-text" aria-label={text.edit}>
      {isBuilt === false && (
        <div className="policy-off">
          <p className="warning small">{text.noAcm}</p>
          <AcmChooser />
        </div>
      )}
      <Suspense fallback={<p className="quiet padded">{text.loading}</p>}>
        <PolicyXmlEditor
          value={xml}
          opened={opened}
          issues={issues}
          form={form}
          reveal={reveal}
          onChange={edit}
          onSave={() => void save(api)}
          onCursor={onCursor}
        />
      </Suspense>
      <IssueList />
      <p className="quiet small code-editor-hint">{text.escape}</p>
    </section>
  );
}
