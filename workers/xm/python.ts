/** Running a domain configuration script: Python text in, its variables out. The interpreter lives in platform/. */

/** What a script may assign and xm takes notice of; Python's other types are dropped by the runner. */
export type PythonValue = string | number | PythonFloat | readonly PythonListItem[];
export type PythonListItem = PythonValue | null;
/** A float with an integral value would lose its `.0`; every float is kept as Python prints it. */
export interface PythonFloat {
  readonly float: string;
}

export type PythonResult =
  | { readonly values: Readonly<Record<string, PythonValue>>; readonly stdout: string }
  | {
      readonly error: {
        /** Python's exception class, or `Timeout`. */
        readonly type: string;
        /** Text without the class. */
        readonly message: string;
        /** 1-based; 0 when unknown. */
        readonly line: number;
      };
      readonly stdout: string;
    };

/** What the script can learn about the machine it runs on. */
export interface MachineFacts {
  readonly uname: readonly [string, string, string, string, string];
  readonly cwd: string;
  readonly environ: Readonly<Record<string, string>>;
  /** [gateway, device], [address, netmask]: what xen.util.ip finds out. */
  readonly network?: {
    readonly gateway: string;
    readonly device: string;
    readonly address: string;
    readonly netmask: string;
  };
}

export interface PythonRunner {
  /** Ends within about two seconds whatever the script does. `scriptVars` are strings that the script finds as variables. */
  run(
    source: string,
    path: string,
    scriptVars: Readonly<Record<string, string>>,
    facts: MachineFacts,
  ): Promise<PythonResult>;
}
