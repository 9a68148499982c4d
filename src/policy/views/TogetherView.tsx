import { text } from '../text';
import { BinaryView } from './BinaryView';
import { FormView } from './FormView';
import { MapView } from './MapView';

/** The forms of one policy beside its text, all pointing at the same label. */
export function TogetherView() {
  return (
    <div className="together">
      <section aria-label={text.viewNames.form}>
        <FormView />
      </section>
      <section aria-label={text.viewNames.binary}>
        <BinaryView />
      </section>
      <section aria-label={text.viewNames.map}>
        <MapView />
      </section>
    </div>
  );
}
