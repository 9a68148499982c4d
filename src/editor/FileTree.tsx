import { ChevronDown, ChevronRight } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { POLICIES } from '../policy/paths';
import { useLab } from '../store/labStore';
import { useLabHandle } from '../worker/LabContext';
import { useDocuments } from './documents';
import { joinPath, parentOf, treeRoots, useFileTree } from './fileTree';
import { text } from './text';

/** Nested lists of buttons: every entry is reachable with Tab and says what it is. */
export function FileTree() {
  const { api } = useLabHandle();
  const isOn = useLab((state) => state.machine.phase === 'on');
  const fileChanges = useLab((state) => state.fileChanges);
  const expanded = useFileTree((state) => state.directories);
  const seenChanges = useRef(fileChanges);

  useEffect(() => {
    if (!isOn) return;
    void useFileTree.getState().expand(api, treeRoots[0]);
    return () => useFileTree.getState().clear();
  }, [api, isOn]);

  const paths = useDocuments((state) => state.documents.map((document) => parentOf(document.path)).join('\n'));
  const watched = [...new Set([...treeRoots, POLICIES, ...Object.keys(expanded), ...paths.split('\n').filter(Boolean)])]
    .sort()
    .join('\n');
  useEffect(() => {
    if (isOn) void api.watchDirectories(watched.split('\n'));
  }, [api, isOn, watched]);

  useEffect(() => {
    const { directories, expand } = useFileTree.getState();
    const touched = Object.keys(fileChanges).filter((path) => fileChanges[path] !== seenChanges.current[path]);
    seenChanges.current = fileChanges;
    const stale = new Set(touched.flatMap((path) => [path, parentOf(path)]));
    for (const path of stale) if (path in directories) void expand(api, path);
  }, [api, fileChanges]);

  return (
    <nav className="file-tree" aria-label={text.files}>
      <ul>
        {treeRoots.map((path) => (
          <Directory key={path} path={path} label={path} />
        ))}
      </ul>
    </nav>
  );
}

function Directory({ path, label }: { path: string; label: string }) {
  const { api } = useLabHandle();
  const entries = useFileTree((state) => state.directories[path]);
  const { expand, collapse } = useFileTree.getState();
  const isOpen = entries !== undefined;
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <li>
      <button
        type="button"
        className="tree-item"
        aria-expanded={isOpen}
        onClick={() => (isOpen ? collapse(path) : void expand(api, path))}
      >
        <Chevron size={14} aria-hidden="true" />
        {label}
      </button>
      {typeof entries === 'string' && <p className="quiet small">{entries}</p>}
      {entries && typeof entries !== 'string' && (
        <ul>
          {entries.map((entry) =>
            entry.kind === 'dir' ? (
              <Directory key={entry.name} path={joinPath(path, entry.name)} label={entry.name} />
            ) : (
              <File key={entry.name} path={joinPath(path, entry.name)} label={entry.name} />
            ),
          )}
        </ul>
      )}
    </li>
  );
}

function File({ path, label }: { path: string; label: string }) {
  const isActive = useDocuments((state) => state.active === path);
  return (
    <li>
      <button
        type="button"
        className="tree-item tree-file"
        aria-current={isActive ? 'true' : undefined}
        title={path}
        onClick={() => useDocuments.getState().request({ path })}
      >
        {label}
      </button>
    </li>
  );
}
