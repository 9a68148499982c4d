import { expect, it } from 'vitest';
import { elements, parseXml, type XmlElement } from './xmlTree';

const all = (element: XmlElement): readonly XmlElement[] => [element, ...elements(element).flatMap(all)];

it('knows where each element begins and ends, also where tags with one beginning touch', () => {
  const text = '\ufeff<?xml version="1.0"?>\r\n<A><AB x="&lt;"><!-- <A> --><A><![CDATA[</A>]]>😀</A ></AB\n><A/></A>\n';
  const found = all(parseXml(text).root).map(({ span, place }) => ({
    text: text.slice(span.start, span.end),
    content: text.slice(span.contentStart, span.contentEnd),
    place,
  }));
  expect(found.map((each) => each.text)).toEqual([
    text.slice(text.indexOf('<A>'), -1),
    '<AB x="&lt;"><!-- <A> --><A><![CDATA[</A>]]>😀</A ></AB\n>',
    '<A><![CDATA[</A>]]>😀</A >',
    '<A/>',
  ]);
  expect(found.slice(1).map((each) => each.content)).toEqual([
    '<!-- <A> --><A><![CDATA[</A>]]>😀</A >',
    '<![CDATA[</A>]]>😀',
    '',
  ]);
  expect(found.map(({ place }) => [place.line, place.column])).toEqual([
    [2, 1],
    [2, 4],
    [2, 29],
    [3, 2],
  ]);
});
