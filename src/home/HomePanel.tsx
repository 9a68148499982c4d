import { useState } from 'react';
import { AcmChooser } from '../policy/AcmChooser';
import { useLab } from '../store/labStore';
import { selectDomids } from '../store/selectors';
import { askToErase } from '../workbench/eraseQuestion';
import { editFile, showPanel } from '../workbench/layout';
import { text as workbenchText } from '../workbench/text';
import { useLabHandle } from '../worker/LabContext';
import { SpeedControl } from './SpeedControl';
import { planFor, type Step, steps } from './suggestions';
import { text } from './text';

export function HomePanel() {
  return (
    <div className="panel home">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs a tab stop */}
      <section className="home-scroll" tabIndex={0} aria-label={text.label} data-autofocus>
        <NextStep />
        <HostFacts />
        <SpeedControl />
        <Keys />
      </section>
    </div>
  );
}

/** What to do now: type a command, or switch a machine on that was switched off. */
function NextStep() {
  const isOff = useLab((state) => state.host?.phase === 'halted');
  return isOff ? <SwitchOn /> : <NextCommand />;
}

function SwitchOn() {
  const { restart } = useLabHandle();
  return (
    <section aria-labelledby="home-next">
      <h2 id="home-next">{text.isOff}</h2>
      <div className="step">
        <p>{text.isOffHint}</p>
        <div className="buttons">
          <button type="button" className="primary" onClick={restart}>
            {text.switchOn}
          </button>
        </div>
      </div>
    </section>
  );
}

function NextCommand() {
  const typed = useLab((state) => state.typed);
  const seenDomains = useLab((state) => state.seenDomains);
  const plan = planFor({ typed, seenDomains });
  return (
    <section aria-labelledby="home-next">
      <h2 id="home-next">{text.heading}</h2>
      {plan.next ? <StepCard key={plan.next.command} step={plan.next} /> : <AllDone />}
      <p className="quiet small">{text.progress(plan.doneCount, steps.length)}</p>
      {plan.upcoming.length > 0 && (
        <>
          <h3>{text.upcoming}</h3>
          <ul className="upcoming">
            {plan.upcoming.map((step) => (
              <li key={step.command}>
                <code title={step.teaches}>{step.command}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function AllDone() {
  return (
    <p>
      {text.allDone} <code>{text.allDoneCommand}</code>
    </p>
  );
}

function StepCard({ step }: { step: Step }) {
  const { terminals } = useLabHandle();
  const commandTyped = useLab((state) => state.commandTyped);
  const isOn = useLab((state) => state.host?.phase === 'running');
  const [isBusy, setBusy] = useState(false);
  const type = () => {
    const serial = terminals.serial();
    const isFree = serial.isAtEmptyPrompt();
    setBusy(!isFree);
    showPanel('terminal');
    serial.focus();
    if (!isFree) return;
    serial.type(`${step.command}\r`);
    commandTyped(step.command);
  };
  const { file } = step;
  return (
    <div className="step">
      <code className="step-command">
        <span className="prompt"># </span>
        {step.command}
      </code>
      <p>{step.teaches}</p>
      <div className="buttons">
        <button type="button" className="primary" onClick={type} disabled={!isOn}>
          {text.typeIt}
        </button>
        {file && (
          <button type="button" onClick={() => editFile(file)}>
            {text.openFile}
          </button>
        )}
      </div>
      {isBusy && (
        <p role="status" className="warning small">
          {text.busy}
        </p>
      )}
    </div>
  );
}

function HostFacts() {
  const host = useLab((state) => state.host);
  const domainCount = useLab((state) => selectDomids(state).length);
  if (!host) return null;
  const { facts } = text;
  return (
    <section aria-labelledby="home-host">
      <h2 id="home-host">{text.host}</h2>
      <dl className="facts">
        <dt>{facts.phase}</dt>
        <dd>{text.phases[host.phase]}</dd>
        {host.pcpus > 0 && (
          <>
            <dt>{facts.cpus}</dt>
            <dd>{host.pcpus}</dd>
            <dt>{facts.memory}</dt>
            <dd>{mebibytes(host.totalMemoryKiB)}</dd>
            <dt>{facts.free}</dt>
            <dd>{mebibytes(host.freeMemoryKiB)}</dd>
            <dt>{facts.domains}</dt>
            <dd>{domainCount}</dd>
          </>
        )}
      </dl>
      <AcmChooser />
      <div className="buttons">
        <button type="button" title={workbenchText.erase.command} onClick={askToErase}>
          {workbenchText.erase.button}
        </button>
      </div>
    </section>
  );
}

function Keys() {
  return (
    <section aria-labelledby="home-keys">
      <h2 id="home-keys">{text.keys}</h2>
      <dl className="keys">
        {text.keyList.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function mebibytes(kibibytes: number): string {
  return `${Math.round(kibibytes / 1024)} MiB`;
}
