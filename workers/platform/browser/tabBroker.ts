/** A SharedWorker that introduces the workers of this browser's tabs to each other: a worker alone cannot reach another tab's. */

const machines = new Map<string, MessagePort>();

/** Each worker says the name of its machine, and hears that of each other one with a port to it. */
(self as unknown as { onconnect(event: MessageEvent): void }).onconnect = ({ ports: [newcomer] }) => {
  if (!newcomer) return;
  newcomer.onmessage = ({ data: own }: MessageEvent<string>) => {
    for (const [other, known] of machines) {
      if (other === own) continue;
      const { port1, port2 } = new MessageChannel();
      known.postMessage(own, [port1]);
      newcomer.postMessage(other, [port2]);
    }
    machines.set(own, newcomer);
  };
};
