/** Keeps the markers of a domain configuration up to date: our own checks at once, xend's after a pause in typing. */
import type { ConfigProblem, LabApi } from '../../../workers/contract';
import { monaco } from '../monaco';
import { diagnose } from './diagnose';
import type { Problem } from './problem';

const ownPauseMs = 150;
const xendPauseMs = 700;

export function watchProblems(
  model: monaco.editor.ITextModel,
  path: string,
  api: LabApi,
  onCount: (count: number) => void,
): { dispose(): void } {
  let isDisposed = false;
  let timers: ReturnType<typeof setTimeout>[] = [];

  const show = (owner: string, problems: readonly Problem[]) => {
    if (isDisposed || model.isDisposed()) return;
    monaco.editor.setModelMarkers(model, owner, problems.map(toMarker));
    onCount(monaco.editor.getModelMarkers({ resource: model.uri }).length);
  };
  const checkOurselves = () => show('xen-lab', diagnose(model.getValue()));
  const askXend = async () => {
    const version = model.getVersionId();
    const result = await api.checkConfig(path, model.getValue());
    if (isDisposed || model.isDisposed() || model.getVersionId() !== version) return;
    const own = diagnose(model.getValue());
    show('xend', result.ok ? withoutRepeats(result.value, own, model) : []);
  };
  const schedule = () => {
    for (const timer of timers) clearTimeout(timer);
    timers = [setTimeout(checkOurselves, ownPauseMs), setTimeout(() => void askXend(), xendPauseMs)];
  };

  checkOurselves();
  schedule();
  const listener = model.onDidChangeContent(schedule);
  return {
    dispose: () => {
      isDisposed = true;
      for (const timer of timers) clearTimeout(timer);
      listener.dispose();
    },
  };
}

/** xend names a line; when we have marked something there already, ours is the more exact one. */
function withoutRepeats(
  found: readonly ConfigProblem[],
  own: readonly Problem[],
  model: monaco.editor.ITextModel,
): readonly Problem[] {
  return found
    .filter((problem) => !own.some((mine) => mine.severity === 'error' && mine.line === problem.line))
    .map((problem) => {
      const line = Math.min(Math.max(problem.line, 1), model.getLineCount());
      const column = Math.max(problem.column, model.getLineFirstNonWhitespaceColumn(line), 1);
      return { ...problem, line, column, endLine: line, endColumn: model.getLineMaxColumn(line) };
    });
}

function toMarker(problem: Problem): monaco.editor.IMarkerData {
  return {
    severity: problem.severity === 'error' ? monaco.MarkerSeverity.Error : monaco.MarkerSeverity.Warning,
    message: problem.message,
    startLineNumber: problem.line,
    startColumn: problem.column,
    endLineNumber: problem.endLine,
    endColumn: problem.endColumn,
  };
}
