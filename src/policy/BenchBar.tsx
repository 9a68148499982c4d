import { useEffect, useRef, useState } from 'react';
import { useLab } from '../store/labStore';
import { useDialogs } from '../ui/dialogs';
import { messageOf } from '../worker/connect';
import { useLabHandle } from '../worker/LabContext';
import { holdsUnsaved, isDirty, isInForce, useBench } from './bench';
import { download } from './download';
import { embed, extract } from './embedded';
import { listPolicies, policyName } from './paths';
import { shareLink } from './share';
import { text } from './text';
import { readFileText } from './textFile';

const IN_FORCE = 'in force';

type MayReplace = () => Promise<boolean>;

/** What is open, and what can be done with it. */
export function BenchBar() {
  const [dialogs, dialog] = useDialogs();
  const mayReplace: MayReplace = async () => {
    if (!holdsUnsaved(useBench.getState())) return true;
    return dialogs.askYesNo(text.unsavedTitle, text.unsaved);
  };
  const offered = useBench((state) => state.offered);
  useEffect(() => {
    if (!offered) return;
    const { offer, replace } = useBench.getState();
    offer(undefined);
    void dialogs.askYesNo(text.unsavedTitle, text.unsavedLink).then((isFree) => isFree && replace(offered));
  }, [offered, dialogs]);
  const { api } = useLabHandle();
  const path = useBench((state) => state.path);
  const hasText = useBench((state) => state.xml !== '');
  const isChanged = useBench(isDirty);
  const isUntouched = useBench(isInForce);
  const isBuilt = useLab((state) => state.policy?.isBuilt === true);
  const { save, putInForce } = useBench.getState();
  const name = useBench((state) =>
    state.path === undefined ? (state.analysis?.policy?.form.name ?? '') : policyName(state.path),
  );
  return (
    <div className="policy-bar">
      <PolicyChoice mayReplace={mayReplace} />
      <button
        type="button"
        title={text.saveHint}
        disabled={!hasText || !isChanged || isUntouched}
        onClick={() => void save(api)}
      >
        {text.save}
      </button>
      <button
        type="button"
        className="primary"
        title={text.loadHint(name)}
        disabled={!hasText || !isBuilt || isUntouched}
        onClick={() => void putInForce(api)}
      >
        {text.load}
      </button>
      <Exchange mayReplace={mayReplace} />
      <span className="quiet small policy-path">{hasText && !isUntouched ? (path ?? text.untitled) : ''}</span>
      <Message />
      {dialog}
    </div>
  );
}

function PolicyChoice({ mayReplace }: { mayReplace: MayReplace }) {
  const { api } = useLabHandle();
  const path = useBench((state) => state.path);
  const inForce = useLab((state) => state.policy?.policy);
  const isOn = useLab((state) => state.host?.phase === 'running');
  const changes = useLab((state) => state.fileChanges);
  const savedXml = useBench((state) => state.savedXml);
  const [paths, setPaths] = useState<readonly string[]>([]);
  useEffect(() => {
    let isCurrent = true;
    if (isOn) void listPolicies(api).then((found) => isCurrent && setPaths(found));
    return () => {
      isCurrent = false;
    };
  }, [api, isOn, changes, savedXml, inForce]);
  const { open, openInForce } = useBench.getState();
  const choose = async (chosen: string) => {
    if (await mayReplace()) await (chosen === IN_FORCE ? openInForce(api) : open(api, chosen));
  };
  const isUntouched = useBench(isInForce);
  const isListed = path !== undefined && paths.includes(path);
  const value = isListed ? path : isUntouched && inForce ? IN_FORCE : '';
  return (
    <select aria-label={text.choose} value={value} onChange={(event) => void choose(event.target.value)}>
      <option value="" disabled>
        {text.none}
      </option>
      {inForce && <option value={IN_FORCE}>{text.inForce(`${inForce.name} ${inForce.version}`)}</option>}
      {paths.map((each) => (
        <option key={each} value={each}>
          {policyName(each)}
        </option>
      ))}
    </select>
  );
}

/** To and from other computers: a link, a file. */
function Exchange({ mayReplace }: { mayReplace: MayReplace }) {
  const hasText = useBench((state) => state.xml !== '');
  const picker = useRef<HTMLInputElement>(null);
  const { say, replace } = useBench.getState();
  const share = async () => {
    const { xml, assertions } = useBench.getState();
    const link = await shareLink({ xml, assertions }, location.href);
    try {
      await navigator.clipboard.writeText(link);
      say({ isBad: false, text: text.shared });
    } catch {
      // No clipboard here (a permission, an insecure origin): the reader can copy what he sees.
      say({ isBad: false, text: `${text.shareByHand} ${link}` });
    }
  };
  const exportFile = () => {
    const { xml, assertions, analysis } = useBench.getState();
    download(`${analysis?.policy?.form.name ?? 'policy'}-security_policy.xml`, embed(xml, assertions), 'text/xml');
  };
  const importFile = async (file: File | undefined) => {
    if (!file) return;
    try {
      const content = await readFileText(file);
      if (await mayReplace()) replace(extract(content));
    } catch (error) {
      say({ isBad: true, text: messageOf(error) });
    }
  };
  return (
    <>
      <button type="button" disabled={!hasText} onClick={() => void share()}>
        {text.share}
      </button>
      <button type="button" title={text.exportHint} disabled={!hasText} onClick={exportFile}>
        {text.exportFile}
      </button>
      <button type="button" title={text.importHint} onClick={() => picker.current?.click()}>
        {text.importFile}
      </button>
      <input
        ref={picker}
        type="file"
        accept=".xml,text/xml"
        hidden
        aria-label={text.importHint}
        onChange={(event) => {
          void importFile(event.target.files?.[0]);
          event.target.value = '';
        }}
      />
    </>
  );
}

function Message() {
  const message = useBench((state) => state.message);
  if (!message) return null;
  return (
    <output className={message.isBad ? 'policy-message bad' : 'policy-message quiet'}>
      <code>{message.text}</code>
    </output>
  );
}
