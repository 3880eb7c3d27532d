import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { Answers } from './feeds.js'

type Metrics = Answers['metrics']

/** One line of a chart. */
interface Line {
  readonly series: string
  readonly label: string
}

interface ChartProps {
  readonly title: string
  readonly lines: readonly Line[]
  readonly metrics: Metrics
  readonly say: (value: number | null | undefined) => string
}

const HEIGHT = 140
const AXIS_WIDTH = 58

/** Figures over time; what the lines show is also said in words, for those who do not see them. */
export function Chart({ title, lines, metrics, say }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const data = dataOf(lines, metrics)
  const range: uPlot.Range.MinMax = [secondsOf(metrics.from), secondsOf(metrics.to)]
  const latest = useRef({ data, range })
  latest.current = { data, range }

  useEffect(() => {
    const node = place.current
    if (!node) return
    const make = () => {
      plot.current?.destroy()
      const options = optionsFor(node, lines, say, () => latest.current.range)
      plot.current = new uPlot(options, latest.current.data, node)
    }
    make()
    const sized = new ResizeObserver(() =>
      plot.current?.setSize({ width: node.clientWidth, height: HEIGHT }),
    )
    sized.observe(node)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', make)
    return () => {
      scheme.removeEventListener('change', make)
      sized.disconnect()
      plot.current?.destroy()
    }
  }, [])
  useEffect(() => plot.current?.setData(data), [metrics])

  const said = lines.map(({ series, label }) => {
    const { min, max, last } = metrics.summary[series] ?? {}
    return `${label}: now ${say(last)}, between ${say(min)} and ${say(max)}`
  })
  return (
    <figure class="chart">
      <figcaption>
        <b>{title}</b>
        {lines.map(({ series, label }, index) => (
          <span key={series} class={`key line-${index}`}>
            {label} <b data-series={series}>{say(metrics.summary[series]?.last)}</b>
          </span>
        ))}
      </figcaption>
      <div ref={place} role="img" aria-label={`${title}. ${said.join('; ')}.`} />
    </figure>
  )
}

const secondsOf = (at: string): number => Date.parse(at) / 1_000

function dataOf(lines: readonly Line[], { series }: Metrics): uPlot.AlignedData {
  const times = series[lines[0]?.series ?? '']?.points.map(([at]) => secondsOf(at)) ?? []
  const values = lines.map((line) => series[line.series]?.points.map(([, value]) => value) ?? [])
  return [times, ...values]
}

function optionsFor(
  node: HTMLElement,
  lines: readonly Line[],
  say: (value: number | null | undefined) => string,
  range: () => uPlot.Range.MinMax,
): uPlot.Options {
  const style = getComputedStyle(node)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis: uPlot.Axis = {
    stroke: colour('--dim'),
    grid: { stroke: colour('--rule'), width: 1 },
    ticks: { stroke: colour('--rule'), width: 1, size: 4 },
    font: `11px ${style.fontFamily}`,
  }
  return {
    width: node.clientWidth || 300,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { range }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, size: 26, space: 60, values: '{HH}:{mm}' },
      { ...axis, size: AXIS_WIDTH, space: 34, values: (_, all) => all.map((one) => say(one)) },
    ],
    series: [
      {},
      ...lines.map(({ label }, index) => ({
        label,
        stroke: colour(`--line-${index}`),
        width: 1.75,
        ...(index === 1 ? { dash: [5, 3] } : {}),
        ...(index === 0 ? { fill: colour('--line-fill') } : {}),
        points: { size: 4 },
        spanGaps: false,
      })),
    ],
  }
}
