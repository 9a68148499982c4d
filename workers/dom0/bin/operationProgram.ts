/**
 * Programs of Domain-0 whose work is done by the toolstack's asynchronous code: the process starts a host operation,
 * shows what it prints, and ends with its status, or goes on as another program.
 */
import { again, exit, type Program, type Sys, wait } from '../../guest/sys';

interface OperationState {
  operation: number;
  interrupted: boolean;
}

/** What an operation may answer beside its status. */
export interface OperationValue {
  /** Go on as this program (`xm console`). */
  readonly exec?: readonly string[];
}

/** A command: `operation` is started with `{argv}`; Ctrl-C asks it to stop. */
export function operationProgram(name: string, operation: string): Program<OperationState> {
  return {
    name,
    start: (sys) => ({ operation: sys.startOperation(operation, { argv: [...sys.argv] }), interrupted: false }),
    step(sys, state) {
      const result = sys.operationResult(state.operation);
      if (!result) return wait({ operation: state.operation });
      const next = (result.value as OperationValue | undefined)?.exec;
      if (state.interrupted) {
        // The prompt comes on a line of its own, after the ^C.
        if (sys.isatty(2)) sys.eprint('\n');
        return exit(130);
      }
      if (!next) return exit(result.status);
      sys.exec(next);
      return again();
    },
    signal(sys, state, signal) {
      if (signal !== 'INT') return false;
      state.interrupted = true;
      sys.cancelOperation(state.operation);
      return true;
    },
  };
}

/** A daemon: it lives as long as its operation, which is asked to stop when the process is killed. */
export function daemonProgram(name: string, operation: string): Program<{ operation: number }> {
  return {
    name,
    start(sys: Sys) {
      return { operation: sys.startOperation(operation, { argv: [...sys.argv] }) };
    },
    step(sys, state) {
      const result = sys.operationResult(state.operation);
      return result ? exit(result.status) : wait({ operation: state.operation });
    },
  };
}
