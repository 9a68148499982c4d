import { useEffect, useRef } from 'react';
import { useLab } from '../store/labStore';
import { showPanel } from '../workbench/layout';
import { useLabHandle } from '../worker/LabContext';
import { useDocuments } from './documents';

/** Carries requests to the open files even while no editor pane exists: `vi FILE`, "open it in the editor", changes. */
export function useDocumentRequests(): void {
  const { api } = useLabHandle();
  const editRequests = useLab((state) => state.editRequests);
  const requests = useDocuments((state) => state.requests);
  const fileChanges = useLab((state) => state.fileChanges);

  const seenChanges = useRef(fileChanges);

  useEffect(() => () => useDocuments.getState().forgetAll(), []);

  useEffect(() => {
    if (editRequests.length === 0) return;
    showPanel('editor');
    for (const request of useLab.getState().takeEditRequests()) void useDocuments.getState().open(api, request);
  }, [api, editRequests]);

  useEffect(() => {
    if (requests.length === 0) return;
    for (const request of useDocuments.getState().takeRequests()) void useDocuments.getState().open(api, request);
  }, [api, requests]);

  useEffect(() => {
    const { documents, refresh } = useDocuments.getState();
    const before = seenChanges.current;
    seenChanges.current = fileChanges;
    for (const { path } of documents) if (fileChanges[path] !== before[path]) void refresh(api, path);
  }, [api, fileChanges]);
}
