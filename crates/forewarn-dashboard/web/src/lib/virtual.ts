// Which rows of a long list are on the screen: only those are drawn.
import { type RefObject, useLayoutEffect, useState } from "react";

/** Tops of rows of these heights, and the height of all. */
export function offsets(heights: readonly number[]): { tops: number[]; total: number } {
  const tops: number[] = [];
  let total = 0;
  for (const height of heights) {
    tops.push(total);
    total += height;
  }
  return { tops, total };
}

/** The first and the last row (exclusive) that touch the span from `from` to `to`. */
export function visible(tops: readonly number[], total: number, from: number, to: number): [number, number] {
  if (tops.length === 0 || to <= 0 || from >= total) return [0, Math.min(tops.length, 1)];
  return [Math.max(0, below(tops, from) - 1), below(tops, to)];
}

/** How many tops are at or above a place. */
function below(tops: readonly number[], place: number): number {
  let low = 0;
  let high = tops.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tops[middle] ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The part of an element that the window shows, in its own pixels, and its width. */
export function useWindow(ref: RefObject<HTMLElement | null>): { from: number; to: number; width: number } {
  const [seen, setSeen] = useState({ from: 0, to: 1200, width: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    let frame = 0;
    const measure = () => {
      frame = 0;
      const box = element.getBoundingClientRect();
      const from = -box.top - 600;
      const to = -box.top + innerHeight + 600;
      setSeen((old) =>
        Math.abs(old.from - from) < 200 && old.width === box.width && Math.abs(old.to - to) < 200
          ? old
          : { from, to, width: box.width },
      );
    };
    const soon = () => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    addEventListener("scroll", soon, { passive: true });
    const observer = new ResizeObserver(soon);
    observer.observe(element);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      observer.disconnect();
    };
  }, [ref]);
  return seen;
}
