export const text = {
  title: (host: string | undefined) => host ?? 'Second host',
  frame: (host: string | undefined) => `Second host${host ? `: ${host}` : ''}`,
  split: 'Width of the two hosts',
  note: 'on the same network',
  stopping: 'Switching it off …',
  close: (host: string | undefined) => `Close ${host ?? 'the second host'} (switches it off)`,
  open: 'Add a host in this page',
  menu: 'Ways to add a host',
  inTab: 'In a new tab',
  inPage: 'In this page',
  blocked: 'This browser has not let the page open a tab. The second host can run in this page as well.',
  openHere: 'Open it in this page',
};
