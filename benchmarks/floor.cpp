// The floor: how quickly a machine can come from columns to a figure, to measure vpemetrics by.
//
//     c++ -O2 -std=c++17 -o floor floor.cpp && ./floor FOLDER
//
// FOLDER holds the columns that yardsticks.py writes. Each commit is booked to the change that was
// merged first of those that list it, or to itself; deployments are walked service by service in
// the order in which they finished, each to the parents until what an earlier one shipped; then
// the median lead time of every team and week is printed as one sum. No kinds, no evidence, no
// rebases or picks, one parent beyond the first: less than anybody may do, and nothing besides.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::int64_t week = 7LL * 86'400 * 1'000'000;

template <typename Number>
std::vector<Number> read_column(const std::string& folder, const char* name) {
    const std::string path = folder + "/" + name;
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) {
        std::perror(path.c_str());
        std::exit(1);
    }
    std::fseek(file, 0, SEEK_END);
    std::vector<Number> column(static_cast<std::size_t>(std::ftell(file)) / sizeof(Number));
    std::rewind(file);
    if (std::fread(column.data(), sizeof(Number), column.size(), file) != column.size()) {
        std::exit(1);
    }
    std::fclose(file);
    return column;
}

using Numbers = std::vector<std::int32_t>;
using Times = std::vector<std::int64_t>;

// The change that each commit belongs to; -1 for those that belong to none.
Numbers owners(std::size_t commits, const Times& merged_at, const Numbers& listed,
               const Numbers& listing) {
    Numbers owner(commits, -1);
    for (std::size_t at = 0; at < listed.size(); ++at) {
        const std::int32_t commit = listed[at], change = listing[at];
        if (commit >= 0 && (owner[commit] < 0 || merged_at[change] < merged_at[owner[commit]])) {
            owner[commit] = change;
        }
    }
    return owner;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: floor FOLDER\n");
        return 2;
    }
    const std::string folder = arguments[1];
    const auto first = read_column<std::int32_t>(folder, "first_parent.i4");
    const auto second = read_column<std::int32_t>(folder, "second_parent.i4");
    const auto authored_at = read_column<std::int64_t>(folder, "authored_at.i8");
    const auto merged_at = read_column<std::int64_t>(folder, "merged_at.i8");
    const auto listed = read_column<std::int32_t>(folder, "listed.i4");
    const auto listing = read_column<std::int32_t>(folder, "listing.i4");
    const auto service = read_column<std::int32_t>(folder, "service.i4");
    const auto team = read_column<std::int32_t>(folder, "team.i4");
    const auto deployed = read_column<std::int32_t>(folder, "deployed.i4");
    const auto finished_at = read_column<std::int64_t>(folder, "finished_at.i8");

    const Numbers owner = owners(first.size(), merged_at, listed, listing);
    Times begun(merged_at.size(), INT64_MAX);
    for (std::size_t commit = 0; commit < owner.size(); ++commit) {
        if (owner[commit] >= 0) {
            begun[owner[commit]] = std::min(begun[owner[commit]], authored_at[commit]);
        }
    }

    Numbers order(deployed.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
        return std::pair(service[a], finished_at[a]) < std::pair(service[b], finished_at[b]);
    });

    std::map<std::pair<std::int32_t, std::int64_t>, Times> lead_times;
    Numbers seen(first.size(), -1), shipped(merged_at.size(), -1), pending;
    for (const std::int32_t deployment : order) {
        Times* samples = nullptr;
        if (deployed[deployment] >= 0) pending.push_back(deployed[deployment]);
        while (!pending.empty()) {
            const std::int32_t commit = pending.back();
            pending.pop_back();
            if (seen[commit] == service[deployment]) continue;
            seen[commit] = service[deployment];
            if (first[commit] >= 0) pending.push_back(first[commit]);
            if (second[commit] >= 0) pending.push_back(second[commit]);
            const std::int32_t change = owner[commit];
            if (change >= 0 && shipped[change] == service[deployment]) continue;
            if (change >= 0) shipped[change] = service[deployment];
            if (samples == nullptr) {
                samples = &lead_times[{team[deployment], finished_at[deployment] / week}];
            }
            const std::int64_t start = change >= 0 ? begun[change] : authored_at[commit];
            samples->push_back(finished_at[deployment] - start);
        }
    }

    std::size_t samples = 0;
    double sum = 0;
    for (auto& [_, times] : lead_times) {
        const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
        std::nth_element(times.begin(), middle, times.end());
        samples += times.size();
        sum += static_cast<double>(*middle) / 3.6e9;
    }
    std::printf("%zu changes shipped, medians of %zu team-weeks: %.1f hours in all\n", samples,
                lead_times.size(), sum);
}
