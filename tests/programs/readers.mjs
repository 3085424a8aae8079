// What two parsers of npm read in documents: `node readers.mjs FILE...` prints, as JSON, for each file and parser its entries.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [home, ...files] = process.argv.slice(2);
const from = createRequire(pathToFileURL(`${home}/`));
const RssParser = from("rss-parser");
const { parseFeed } = await import(pathToFileURL(from.resolve("@rowanmanning/feed-parser")));

const rssParser = new RssParser({ customFields: { item: ["content:encoded"] } });
const said = {};
for (const file of files) {
  const text = await readFile(file, "utf8");
  const feed = await rssParser.parseString(text);
  said[file] = {
    "rss-parser": feed.items.map((item) => ({
      id: item.guid ?? item.id,
      title: item.title,
      link: item.link,
      date: item.isoDate,
      content: item["content:encoded"] ?? item.content ?? item.summary ?? "",
    })),
    "feed-parser": parseFeed(text).items.map((item) => ({
      id: item.id,
      title: item.title,
      link: item.url,
      date: (item.published ?? item.updated)?.toISOString(),
      content: item.content ?? item.description ?? "",
    })),
  };
}
console.log(JSON.stringify(said));
