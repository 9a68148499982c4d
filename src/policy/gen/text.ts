/** What xensec_gen's pages say. */
export const text = {
  title: 'Xen Security Policy Tool',
  heading: 'Xen Security Policy Generation Tool',
  section: 'Security Policy',
  explanation:
    'Leave the field empty to create a new policy, or name a policy file of Domain-0 to modify it; a file of this computer can be taken as well.',
  file: 'Policy File:',
  create: 'Create',
  fromHere: 'From this computer …',
  generate: 'Generate XML',
  generated: 'security_policy.xml was handed to the browser.',
  save: 'Save in Domain-0',
  saved: (path: string) => `Saved to ${path}. The policy bench keeps its own text, which is not saved.`,
  savedAndOpen: (path: string) => `Saved to ${path}; it is open in the policy bench.`,
  overwrite: (path: string) => `${path} exists. Do you want to overwrite it?`,
  unsavedTitle: 'Unsaved changes',
  unsaved: 'This form has changes that are not saved. Start again and lose them?',
  back: 'Start again',
  importProblems: 'An error has been encountered while processing the input XML file:',
  problems: 'An error has been encountered while validating the data required for the output XML file:',
  problem: (line: number, column: number, message: string) =>
    `XML parsing error occurred at line ${line}, column ${column}: reason = ${message}`,
  noName: 'The policy has no name.',
  noPrimaryTypes: (part: string) => `The primary policy, ${part}, has no type.`,
  notes: 'To be considered:',
};
