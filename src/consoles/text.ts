export const text = {
  ended: 'The terminal has ended.',
  serialLabel: 'Serial console of the machine',
  shellLabel: 'Shell in Domain-0',
  isBack: (name: string, domid: number) => `${name} is back with id ${domid}.`,
  consoleLabel: (name: string) => `Console of ${name}`,
};
