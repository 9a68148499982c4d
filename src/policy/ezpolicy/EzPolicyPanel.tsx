import { CircleHelp } from 'lucide-react';
import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef, useState } from 'react';
import { type Dialogs, useDialogs } from '../../ui/dialogs';
import { type Menu, MenuBar, type MenuBarHandle } from '../../ui/MenuBar';
import { SplitPane } from '../../ui/SplitPane';
import { closePanel, showPanel } from '../../workbench/layout';
import { useLabHandle } from '../../worker/LabContext';
import { holdsUnsaved, useBench } from '../bench';
import '../policy.css';
import { pathTaken, toolPanels, useTools } from '../tools';
import { EzPolicyActions } from './actions';
import { sortDepartments, UNLABELED } from './definition';
import { EzPolicyFiles } from './files';
import { keyText, useHasCtrlN } from './keys';
import { RuleBox } from './RuleBox';
import { isUnsaved, useEzPolicy } from './state';
import { text } from './text';
import { WorkloadTree } from './WorkloadTree';

/** xensec_ezpolicy: from organisations and what may not run beside what, to a policy. */
export function EzPolicyPanel() {
  const { api } = useLabHandle();
  const [dialogs, dialog] = useDialogs();
  const picker = useRef<HTMLInputElement>(null);
  const bar = useRef<MenuBarHandle>(null);
  const actions = useMemo(() => new EzPolicyActions(dialogs), [dialogs]);
  const files = useMemo(() => new EzPolicyFiles(api, dialogs, () => picker.current?.click()), [api, dialogs]);
  const asked = useTools((state) => state.path);
  useEffect(() => {
    if (asked === undefined) return;
    pathTaken();
    void files.mayDiscard().then((isFree) => (isFree ? files.load(asked) : undefined));
  }, [asked, files]);
  // A pane is closed more easily than a window: what was not saved is there when it is opened again.
  useEffect(
    () => () => {
      if (!isUnsaved(useEzPolicy.getState())) useEzPolicy.getState().reset();
    },
    [],
  );
  // Its code may come later than the pane; somebody has just typed its name.
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (useTools.getState().waiting.xensec_ezpolicy.length > 0)
      root.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
  }, []);

  const [isAsking, setAsking] = useState(false);
  /** The next press asks what a control is for instead of using it. */
  const explainInstead = (event: MouseEvent<HTMLElement>) => {
    if (!isAsking) return;
    event.preventDefault();
    event.stopPropagation();
    setAsking(false);
    const help = (event.target as HTMLElement).closest<HTMLElement>('[data-help]')?.dataset['help'];
    if (help !== undefined) void dialogs.tell(text.contextHelp, help);
  };
  const menus = useMenus(actions, files, dialogs);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.target instanceof HTMLElement && event.target.closest('dialog')) return;
    const pressed = keyText(event);
    if (pressed === '') return;
    const access = menus.find(({ title }) => pressed === `Alt-${title[0]}`);
    const item = menus
      .flatMap(({ items }) => items)
      .find(({ keys, otherKeys }) => keys === pressed || otherKeys?.includes(pressed));
    if (!access && !item) return;
    // Not the browser's either: what cannot be renamed now is no reason to load the page anew.
    event.preventDefault();
    event.stopPropagation();
    if (access) bar.current?.open(access.title);
    else if (!item?.isDisabled) item?.run();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the window's keys, wherever in it the focus is
    <div
      className={isAsking ? 'panel ezpolicy asking' : 'panel ezpolicy'}
      ref={root}
      onKeyDown={onKeyDown}
      onClickCapture={explainInstead}
    >
      <MenuBar menus={menus} label={text.title} ref={bar} />
      <Title />
      <SplitPane
        label={text.split}
        initial={46}
        left={<Definition actions={actions} />}
        right={<Rules actions={actions} isAsking={isAsking} onAsk={() => setAsking(true)} />}
      />
      <Status />
      <input
        ref={picker}
        type="file"
        accept=".wld"
        hidden
        aria-label={text.fromHere}
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) void files.uploaded(file);
          event.target.value = '';
        }}
      />
      {dialog}
    </div>
  );
}

function useMenus(actions: EzPolicyActions, files: EzPolicyFiles, dialogs: Dialogs): readonly Menu[] {
  const selection = useEzPolicy((state) => state.selection);
  const organizations = useEzPolicy((state) => state.definition.organizations);
  const hasCtrlN = useHasCtrlN();
  const { items } = text;
  const [only] = selection;
  const isOne = selection.length === 1;
  const isFixed = !isOne || (only?.organization === UNLABELED && only.department === undefined);
  const savePolicy = async () => {
    const path = await files.savePolicy();
    if (path === undefined) return;
    // Where it can be examined, and put in force; not at the price of what is being written there.
    const bench = useBench.getState();
    if (!holdsUnsaved(bench)) void bench.open(files.lab, path);
  };
  const fresh = async () => {
    if (await files.mayDiscard()) useEzPolicy.getState().fresh();
  };
  const exit = async () => {
    if (!(await files.mayDiscard())) return;
    useEzPolicy.getState().reset();
    closePanel(toolPanels.xensec_ezpolicy);
    showPanel('terminal');
  };
  const { expand, change } = useEzPolicy.getState();
  return [
    {
      title: text.menus.file,
      items: [
        { label: items.open, keys: 'Ctrl-O', run: () => void files.open() },
        { label: items.save, keys: 'Ctrl-S', run: () => void files.save() },
        { label: items.saveAs, keys: 'Alt-S', run: () => void files.saveAs() },
        { label: items.download, run: () => void files.downloadFile() },
        { label: items.policy, keys: 'Alt-T', hasLine: true, run: () => void savePolicy() },
        {
          label: items.fresh,
          keys: hasCtrlN ? 'Ctrl-N' : 'Alt-N',
          otherKeys: ['Ctrl-N', 'Alt-N'],
          hasLine: true,
          run: () => void fresh(),
        },
        { label: items.exit, keys: 'Ctrl-X', hasLine: true, run: () => void exit() },
      ],
    },
    {
      title: text.menus.edit,
      items: [
        { label: items.rename, keys: 'Ctrl-R', isDisabled: isFixed, run: () => void actions.rename() },
        {
          label: items.add,
          keys: 'Ctrl-A',
          isDisabled: isFixed || only?.department !== undefined,
          run: () => void actions.addDepartment(),
        },
        { label: items.delete, keys: 'Ctrl-D', isDisabled: selection.length === 0, run: () => actions.remove() },
      ],
    },
    {
      title: text.menus.view,
      items: [
        { label: items.sort, run: () => change(sortDepartments(useEzPolicy.getState().definition)) },
        { label: items.collapse, keys: 'Ctrl-C', run: () => expand([]) },
        { label: items.expand, keys: 'Ctrl-E', run: () => expand(organizations.map(({ name }) => name)) },
      ],
    },
    {
      title: text.menus.help,
      items: [
        {
          label: items.help,
          keys: 'Ctrl-H',
          run: () => void dialogs.tell(text.helpTitle, text.helpSteps.join('\n\n')),
        },
        { label: items.about, run: () => void dialogs.tell(text.aboutTitle, text.aboutText) },
      ],
    },
  ];
}

function Title() {
  const path = useEzPolicy((state) => state.path);
  const hasFile = useEzPolicy((state) => state.hasFile);
  const isChanged = useEzPolicy((state) => state.definition !== state.saved);
  return (
    <p className="quiet small ez-title">
      {hasFile ? text.named(path ?? text.newFile) : text.title}
      {isChanged && ' •'}
    </p>
  );
}

function Definition({ actions }: { actions: EzPolicyActions }) {
  return (
    <section className="ez-side" aria-labelledby="ez-definition" data-help={text.context.left}>
      <div className="ez-head">
        <h3 id="ez-definition" className="ez-blue">
          {text.definition}
        </h3>
        <button
          type="button"
          title={text.newOrgHint}
          data-help={text.context.newOrg}
          data-autofocus
          onClick={() => void actions.newOrganization()}
        >
          {text.newOrg}
        </button>
      </div>
      <div className="ez-scroll">
        <WorkloadTree
          onAdd={() => void actions.addDepartment()}
          onRename={() => void actions.rename()}
          onDelete={() => actions.remove()}
        />
      </div>
      <p className="quiet small padded-line">{text.hints.keys}</p>
      <div className="ez-foot">
        <button
          type="button"
          title={text.createHint}
          data-help={text.context.create}
          onClick={() => void actions.createRule()}
        >
          {text.create}
        </button>
      </div>
    </section>
  );
}

function Rules(props: { actions: EzPolicyActions; isAsking: boolean; onAsk: () => void }) {
  const { actions, isAsking, onAsk } = props;
  const rules = useEzPolicy((state) => state.definition.rules);
  return (
    <section className="ez-side" aria-labelledby="ez-rules" data-help={text.context.right}>
      <div className="ez-head">
        <h3 id="ez-rules" className="ez-red">
          {text.rules}
        </h3>
        <button
          type="button"
          className="icon-button"
          aria-label={text.contextHelp}
          aria-pressed={isAsking}
          title={text.contextHint}
          onClick={onAsk}
        >
          <CircleHelp size={16} aria-hidden="true" />
        </button>
      </div>
      <div className="ez-scroll">
        {rules.length === 0 && <p className="quiet padded">{text.noRules}</p>}
        {rules.map((rule, at) => (
          <RuleBox
            key={at}
            rule={rule}
            onAdd={() => void actions.addToRule(at)}
            onRemove={(entries) => void actions.removeFromRule(at, entries)}
            onRename={() => void actions.renameRule(at)}
            onDelete={() => actions.deleteRule(at)}
          />
        ))}
      </div>
    </section>
  );
}

function Status() {
  const status = useEzPolicy((state) => state.status);
  return <output className="ez-status small">{status}</output>;
}
