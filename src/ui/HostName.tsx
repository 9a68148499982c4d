import { hostColour } from './hostColour';

/** A machine's name behind a mark in its colour. */
export function HostName({ name }: { name: string }) {
  return (
    <span className="host-name">
      <span className="host-mark" style={{ background: hostColour(name) }} aria-hidden="true" />
      {name}
    </span>
  );
}
