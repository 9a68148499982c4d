/** Users' Manual, §10.2.1, as a command line. */
export function buildCommand(isOn: boolean): string {
  const [from, to] = isOn ? ['n', 'y'] : ['y', 'n'];
  const options = ['XSM_ENABLE', 'ACM_SECURITY'].map((option) => `s/^${option} ?= ${from}/${option} ?= ${to}/`);
  return ['cd /usr/src/xen', `sed -i '${options.join('; ')}' Config.mk`, 'make world', 'make install'].join(' && ');
}
