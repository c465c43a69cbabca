// Tables as people have them: each case is read as it is meant, or refused with the place and a remedy that works.
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { type CsvOptions, type Dataset, readCsv } from "../../src/index.js";

const read = (text: string | Buffer, options: CsvOptions = {}): Promise<Dataset> =>
  readCsv(Readable.from([Buffer.from(text)]), options);
const values = (data: Dataset) => [...data.inputs, ...data.targets];

describe("decimal commas and thousands", () => {
  const quoted = 'a,b,y\n"6,55","1,52","17,606"\n7,"0,56","20,272"\n';
  it("quoted cells hold decimal commas in a table that commas separate; the hint says how", async () => {
    await expect(read(quoted)).rejects.toThrow(/line 2, column "a": a comma .*decimal: ","; received "6,55"/);
    expect(values(await read(quoted, { decimal: "," }))).toEqual([6.55, 1.52, 7, 0.56, 17.606, 20.272]);
  });
  it("a comma that could be either sign is named with both remedies, and both work", async () => {
    const text = 'a,y\n1,"3,760"\n2,"4,120"\n';
    await expect(read(text)).rejects.toThrow(/decimal: ",".*thousands: ","/);
    expect([...(await read(text, { thousands: "," })).targets]).toEqual([3760, 4120]);
    expect([...(await read(text, { decimal: "," })).targets]).toEqual([3.76, 4.12]);
  });
  it.each([
    ['a,y\n65.5,"3,760.6"\n1,"1,234,567.25"\n', { thousands: "," }, [3760.6, 1234567.25]],
    ["a;y\n65,5;3.760,60\n1;1.234.567,25\n", { decimal: ",", thousands: "." }, [3760.6, 1234567.25]],
    ["a;y\n1;3 760,6\n1;3\u202f760\n1;3\u00a0760\n", { decimal: ",", thousands: " " }, [3760.6, 3760, 3760]],
    ["a;y\n1;3'760.6\n1;3\u2019760\n", { thousands: "'" }, [3760.6, 3760]],
  ] as const)("%j with %j", async (text, options, targets) => {
    expect([...(await read(text, options)).targets]).toEqual(targets);
  });
  it("separators that are not between groups of three are no number", async () => {
    await expect(read('a,y\n1,"12,34,567"\n', { thousands: "," })).rejects.toThrow(/line 2, column "y"/);
    await expect(read('a,y\n1,"1,23"\n', { thousands: "," })).rejects.toThrow(/line 2, column "y"/);
  });
  it("the sign may not be the decimal sign", async () => {
    await expect(read("a,y\n1,2\n", { thousands: "." })).rejects.toThrow(/thousands must differ from the decimal sign/);
  });
  it("an encoding keeps the sign, so that prediction reads numbers as training did", async () => {
    const data = await read('a,y\n"1,234",1\n"2,500",2\n', { thousands: "," });
    const again = await read('a\n"3,000"\n', { encoding: data.encoding ?? undefined });
    expect([...again.inputs]).toEqual([3000]);
  });
});

describe("names and empty columns", () => {
  const twice = "time,temp,temp,y\n0,1,5,2\n1,2,6,3\n";
  it("two columns of one name are refused by place, with a remedy that works", async () => {
    await expect(read(twice)).rejects.toThrow(
      /line 1: columns 2 and 3 have the same name, "temp".*ignore: \["column 3"\]/,
    );
    for (const ignore of [["column 3"], 2, -2])
      expect([...(await read(twice, { ignore })).inputs]).toEqual([0, 1, 1, 2]);
    expect([...(await read(twice, { ignore: "temp" })).inputs]).toEqual([0, 1]);
    await expect(read(twice, { target: "temp" })).rejects.toThrow(/same name/);
  });
  it("and so they are for prediction", async () => {
    const encoding = (await read("time,temp,y\n0,1,2\n1,2,3\n")).encoding ?? undefined;
    await expect(read(twice, { encoding })).rejects.toThrow(/same name/);
    expect([...(await read(twice, { encoding, ignore: 2 })).inputs]).toEqual([0, 1, 1, 2]);
  });
  it.each([
    "a,b,y,\n1,2,3,\n4,5,6,\n",
    "a,b,y\n1,2,3,\n4,5,6,\n",
    "a,b,,y,,\n1,2,,3,,\n4,5,,6,,\n",
    "a,b,y\n1,2,3\n4,5,6\n,,\n,,\n",
  ])("%j: columns and rows without names and values are left out, with a note", async (text) => {
    const data = await read(text);
    expect([data.featureNames, data.targetNames, values(data)]).toEqual([["a", "b"], ["y"], [1, 2, 4, 5, 3, 6]]);
    expect(data.notes.join("\n")).toMatch(/left out/);
  });
  it("a value in a nameless column that began empty is refused with its line", async () => {
    await expect(read("a,y,\n1,2,\n3,4,5\n")).rejects.toThrow(/line 3, column "column 3": .*ignore: \["column 3"\]/);
    expect((await read("a,y,\n1,2,\n3,4,5\n", { ignore: 2 })).sampleCount).toBe(2);
  });
  it("a nameless column with values is called by its place", async () => {
    const data = await read(",a,y\n0,1,2\n1,4,5\n");
    expect(data.featureNames).toEqual(["column 1", "a"]);
    expect(data.notes.join("\n")).toMatch(/without a name.*column 1/);
  });
});

describe("lines that are no rows", () => {
  it("comments: the hint names the option, and the option works, quotes in comments included", async () => {
    const text = '# station "X\n# units: m, s\na,b,y\n1,2,3\n# in between, "again\n4,"5",6\n';
    await expect(read(text)).rejects.toThrow(/comment: "#"/);
    expect(values(await read(text, { comment: "#" }))).toEqual([1, 2, 4, 5, 3, 6]);
    await expect(read(`${text}7,x,9\n`, { comment: "#" })).rejects.toThrow(/line 7, column "b"/);
  });
  it("skip leaves lines out, and errors keep the file's line numbers", async () => {
    const text = 'exported by "logger\r\nx\ra,y\n1,2\n3,z\n';
    await expect(read(text, { skip: 2 })).rejects.toThrow(/line 5, column "y".*"z"/);
    expect(values(await read(text.replace("3,z\n", "3,4\n"), { skip: 2 }))).toEqual([1, 3, 2, 4]);
  });
  it("a row of units: the hint names the option, and the units are noted", async () => {
    const text = "level,b,y\n[step],[s],\n0,1,2\n10,3,4\n";
    await expect(read(text)).rejects.toThrow(/line 2.*unitsRow: true/);
    const data = await read(text, { unitsRow: true });
    expect(values(data)).toEqual([0, 1, 10, 3, 2, 4]);
    expect(data.notes.join("\n")).toContain("[step], [s]");
    await expect(read(text, { unitsRow: true, header: false })).rejects.toThrow(/unitsRow needs a header/);
  });
  it("a first line sep= names the delimiter and is no row", async () => {
    expect(values(await read("sep=;\na;y\n1;2\n3;4\n"))).toEqual([1, 3, 2, 4]);
    expect(values(await read("\ufeffSEP=|\r\na|y\r\n1|2\r\n"))).toEqual([1, 2]);
    await expect(read("sep=;\na;y\n1;2\n1;x\n")).rejects.toThrow(/line 4, column "y"/);
  });
  it("runs of blanks separate values, found by looking", async () => {
    const data = await read("   1.5    2\t 3\n  -4   5   6  \n");
    expect([data.featureNames, values(data)]).toEqual([
      ["column 1", "column 2"],
      [1.5, 2, -4, 5, 3, 6],
    ]);
    expect(values(await read('a   "the b"  y\n1 2   3\n', { delimiter: " " }))).toEqual([1, 2, 3]);
  });
});

describe("nothing is retyped", () => {
  const column = (...cells: string[]) => `k,y\n${cells.map((cell, i) => `${cell},${i}`).join("\n")}\n`;
  it.each(["-", "-nan", "#N/A", "None", "<NA>", "#DIV/0!", ".", "n/a", "NULL", "?", "1.#QNAN", ""])(
    "%j among numbers is missing by default",
    async (text) => {
      await expect(read(column("4", text, "6"))).rejects.toThrow(/line 3, column "k": the value is missing/);
      expect([...(await read(column("4", text, "6"), { missing: "drop" })).inputs]).toEqual([4, 6]);
    },
  );
  it("a stray text is refused with its own line and remedies that work, wherever it stands", async () => {
    for (const cells of [
      ["4", "6", "broken", "8"],
      ["broken", "4", "6", "8"],
      [...Array.from({ length: 200 }, (_, i) => `${i}`), "broken"],
    ]) {
      const line = cells.indexOf("broken") + 2;
      await expect(read(column(...cells))).rejects.toThrow(
        new RegExp(
          `line ${line}, column "k": is not a number.*missingValues: \\["broken"\\].*categorical: \\["k"\\].*"broken"`,
        ),
      );
      const dropped = await read(column(...cells), { missingValues: ["broken"], missing: "drop" });
      expect(dropped.sampleCount).toBe(cells.length - 1);
    }
    expect((await read(column("4", "6", "broken"), { categorical: "k" })).inputSize).toBe(3);
  });
  it("a hint for missing values keeps those that are already named", async () => {
    await expect(read(column("4", "x", "w"), { missingValues: ["w"], missing: "drop" })).rejects.toThrow(
      /missingValues: \["w","x"\]/,
    );
  });
  it("percent and currency signs are left out with a note; mixed columns are refused", async () => {
    const data = await read("hum,price,y\n0%,$6.55,1\n12.5 %,-$7,2\n3%,$8,3\n");
    expect([...data.inputs]).toEqual([0, 6.55, 12.5, -7, 3, 8]);
    expect(data.notes.join("\n")).toMatch(/"hum": the sign % is left out[\s\S]*"price": the currency sign \$/);
    expect([...(await read("p;y\n3,50 €;1\n4 €;2\n", { decimal: "," })).inputs]).toEqual([3.5, 4]);
    await expect(read("p,y\n12%,1\n0.12,2\n")).rejects.toThrow(/line 3, column "p": the number has no sign.*%/);
    await expect(read("p,y\n0.12,1\n12%,2\n")).rejects.toThrow(/line 3, column "p": the number has the sign %/);
  });
  it("booleans are 1 and 0, inputs and targets of a regression, with a note", async () => {
    const data = await read("a,won\ntrue,True\nFALSE,False\n", { task: "regression" });
    expect(values(data)).toEqual([1, 0, 1, 0]);
    expect(data.notes.join("\n")).toMatch(/"won": true and false are read as 1 and 0/);
  });
  it("integers beyond 2^53 are named where digits are lost, and only there", async () => {
    const data = await read("id,z,y\n12345678901234567107,9007199254740992,1\n12345678901234567114,1e300,2\n");
    const lost = data.notes.filter((note) => note.includes("2^53"));
    expect(lost).toHaveLength(1);
    expect(lost[0]).toMatch(
      /"id": integers beyond 2\^53 lose digits \(12345678901234567107 is read as 12345678901234567168\)/,
    );
  });
  it("dates are numbers on request, at prediction too, and are named otherwise", async () => {
    const text = "t,y\n1970-01-02,1\n2024-05-17T06:00Z,2\n1969-12-31 12:00:00.5+12:00,3\n";
    await expect(read(`${text}`, { numeric: "t" })).rejects.toThrow(/line 2, column "t": is a date: dates: \["t"\]/);
    const data = await read(text, { dates: "t" });
    expect([...data.inputs]).toEqual([1, Date.UTC(2024, 4, 17, 6) / 864e5, (-86400 + 0.5) / 86400]);
    expect([...(await read("t\n1970-01-11\n", { encoding: data.encoding ?? undefined })).inputs]).toEqual([10]);
    await expect(read("t,y\n2024-02-30,1\n", { dates: "t" })).rejects.toThrow(/line 2, column "t": is not a number/);
  });
});

describe("the header", () => {
  it.each([
    ["plant,2019,2020\n1,6.5,1.5\n2,6.3,4.9\n", ["plant", "2019"], /header, because it has a text over a number/],
    ["1990,2000,2010\n1,6.5,1.5\n2,6.3,4.9\n", ["1990", "2000"], /header, because it is a run of years/],
  ])("%j has one, which is noted", async (text, names, note) => {
    const data = await read(text);
    expect([data.featureNames, data.sampleCount]).toEqual([names, 2]);
    expect(data.notes.join("\n")).toMatch(note);
    expect((await read(text.replace("plant", "7"), { header: false })).sampleCount).toBe(3);
  });
  it.each(["1,2,3\n4,5,6\n", "8,red,18\n4,blue,24\n", "8,?,17\n4,120,24\n", "2000,2010,2020\n2001,2011,2021\n"])(
    "%j has none, which is noted with the remedy",
    async (text) => {
      const data = await read(text, { missing: "drop" });
      expect(data.featureNames[0]).toBe("column 1");
      expect(data.notes.join("\n")).toMatch(/taken as data.*header: true/);
    },
  );
  it("is no guess where a column that is used is named there", async () => {
    const data = await read("1,2,y\n3,4,5\n", { target: "y" });
    expect([data.featureNames, data.notes]).toEqual([["1", "2"], []]);
  });
});

describe("old character sets", () => {
  it("the remedy is named and works", async () => {
    const bytes = Buffer.from("gr\xf6\xdfe,y\n1,2\n", "latin1");
    await expect(read(bytes)).rejects.toThrow(/line 1: is not UTF-8 text.*charset: "latin1"/);
    expect((await read(bytes, { charset: "latin1" })).featureNames).toEqual(["größe"]);
  });
});
