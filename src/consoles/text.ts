export const text = {
  ended: 'The terminal has ended.',
  serialLabel: 'Serial console of the machine',
  shellLabel: 'Shell in Domain-0',
  consoleLabel: (name: string) => `Console of ${name}`,
};
